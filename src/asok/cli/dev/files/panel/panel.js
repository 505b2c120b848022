// The development panel: a tab in a corner of the page, and the sections that it opens.
import { h, many, ms } from "./elements.js";
import { liveSection } from "./frames.js";
import { cacheSection, requestSection, sqlSection } from "./sections.js";
import { room, sheet } from "./style.js";

const SECTIONS = {
  request: ["Request", requestSection, () => ""],
  sql: ["SQL", sqlSection, ({ told }) => told && told.request.queries + told.live.queries],
  cache: ["Cache", cacheSection, ({ told }) => told && asked(told.request) + asked(told.live)],
  live: ["Live", liveSection, ({ count }) => count],
};

const asked = ({ cache }) => cache.hits + cache.misses + cache.stale;
const warnings = ({ told }) =>
  told ? told.request.repeated.length + told.live.repeated.length : 0;

export const show = (tap) => {
  const { state } = tap;
  const host = document.createElement("asok-panel");
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [sheet];
  const tabs = {};
  const panes = {};
  const sections = {};
  const corner = h("button", { type: "button", class: "corner" });
  const close = h("button", { type: "button", class: "plain close", "aria-label": "Close" }, "×");
  const list = h("div", { role: "tablist", "aria-label": "Development panel" });
  const box = h("div", { class: "box", id: "box" }, h("div", { class: "bar" }, list, close));
  const aside = h("aside", { "aria-label": "Asok development panel" }, corner, box);

  const select = (name) => {
    state.tab = name;
    for (const each of Object.keys(SECTIONS)) {
      const chosen = each === name;
      tabs[each].setAttribute("aria-selected", chosen);
      tabs[each].tabIndex = chosen ? 0 : -1;
      panes[each].hidden = !chosen;
    }
    tap.keep();
  };

  const open = (opened) => {
    state.open = opened;
    box.hidden = !opened;
    corner.hidden = opened;
    const others = document.adoptedStyleSheets.filter((one) => one !== room);
    document.adoptedStyleSheets = opened ? [...others, room] : others;
    tap.keep();
  };

  for (const [name, [title, make]] of Object.entries(SECTIONS)) {
    sections[name] = make(tap);
    const of = { role: "tab", type: "button", id: `tab-${name}`, "aria-controls": `pane-${name}` };
    tabs[name] = h("button", { ...of, onclick: () => select(name) }, title, h("span"));
    panes[name] = h(
      "div",
      { role: "tabpanel", id: `pane-${name}`, "aria-labelledby": `tab-${name}`, tabindex: 0 },
      sections[name].element,
    );
    list.append(tabs[name]);
    box.append(panes[name]);
  }

  list.addEventListener("keydown", (event) => {
    const names = Object.keys(SECTIONS);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = { Home: 0, End: names.length - 1 }[event.key];
    if (step === undefined && at === undefined) return;
    event.preventDefault();
    const next = at ?? (names.indexOf(state.tab) + step + names.length) % names.length;
    select(names[next]);
    tabs[names[next]].focus();
  });
  corner.addEventListener("click", () => {
    open(true);
    tabs[state.tab].focus();
  });
  const leave = () => {
    open(false);
    corner.focus();
  };
  close.addEventListener("click", leave);
  // What is typed and clicked in here is nothing to the site.
  for (const type of ["keydown", "keyup", "click", "input", "change", "submit", "focusin", "focusout"])
    host.addEventListener(type, (event) => event.stopPropagation());
  box.addEventListener("keydown", ({ key }) => key === "Escape" && leave());

  const summarize = () => {
    const { told } = tap;
    const repeated = warnings(tap);
    const { count, failed } = tap;
    const texts = told
      ? [
          `${told.status}`,
          ms(told.ms),
          told.request.queries && many(told.request.queries, "query", "queries"),
          count && `${count} live`,
          repeated && "N+1",
          failed && "live error",
          state.delay && `+${state.delay} ms`,
        ]
      : ["Asok"];
    const said = texts.filter(Boolean);
    corner.replaceChildren(...said.map((text) => h("span", {}, text)));
    corner.classList.toggle("warn", Boolean(repeated || state.delay));
    corner.classList.toggle("bad", failed);
    corner.setAttribute("aria-label", `Development panel: ${said.join(", ")}`);
    for (const [name, [, , number]] of Object.entries(SECTIONS))
      tabs[name].lastChild.textContent = number(tap) || "";
    tabs.sql.classList.toggle("warn", repeated > 0);
    tabs.live.classList.toggle("bad", failed);
  };

  tap.changed = (name, value) => {
    for (const section of Object.values(sections)) section.changed(name, value);
    summarize();
  };
  select(state.tab in SECTIONS ? state.tab : "request");
  open(state.open);
  tap.changed("told");
  root.append(aside);
  document.body.append(host);
};
