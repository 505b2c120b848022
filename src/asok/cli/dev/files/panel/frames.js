// The section of live components: every frame up and down, its bytes, and the round trips.
import { bytes, facts, h, many, ms, quiet } from "./elements.js";

const MOST = 200;
const SHOWN = 4000;
const DELAYS = { 0: "none", 100: "100 ms", 300: "300 ms", 1000: "1 s", 3000: "3 s" };

const json = (value) => {
  const text = JSON.stringify(value) ?? "";
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
};

// What a frame says, in a few words; see `wire.ts`.
const UP = {
  j: ([, , , , version]) => (version > 0 ? `join, shows version ${version}` : "join"),
  c: ([, , , method, args, data]) => {
    const given = (args ?? []).map(json).join(", ");
    const fields = data ? ` with ${Object.keys(data).join(", ") || "no fields"}` : "";
    return method ? `${method}(${given})${fields}` : `fields${fields}`;
  },
  l: () => "leave",
};
const DOWN = {
  h: ([, , version]) => `whole HTML, version ${version}`,
  s: ([, , version, , splices]) => `${many(splices.length, "splice")}, version ${version}`,
  o: () => "nothing changed",
  e: ([, , , code, message]) => `${code}: ${message || "the call failed"}`,
  t: () => "new CSRF value",
  r: ([, reason]) => `please reload: ${reason}`,
  d: ([, , name, detail]) => `event ${name} ${json(detail)}`,
  g: ([, , url]) => `go to ${url}`,
};

const words = ({ up, frame }) => (up ? UP : DOWN)[frame[0]]?.(frame) ?? json(frame);

const row = (record) => {
  const { up, text } = record;
  const took = h("span", { class: "took" });
  const whole = h("pre", { tabindex: 0 });
  const write = () => {
    whole.textContent = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  };
  const failed = !up && record.frame[0] === "e";
  const item = h(
    "li",
    { class: failed ? "bad" : up ? "up" : "down" },
    h(
      "details",
      { ontoggle: write },
      h(
        "summary",
        {},
        h("span", { class: "arrow", role: "img", "aria-label": up ? "up" : "down" }, up ? "↑" : "↓"),
        h("b", {}, record.name),
        h("code", {}, words(record)),
        h("span", { class: "bytes" }, bytes(record.bytes)),
        took,
      ),
      whole,
    ),
  );
  return { item, took, record };
};

export const liveSection = (tap) => {
  const list = h("ol", { class: "frames", "aria-label": "Frames, the latest first" });
  const totals = h("div");
  const empty = quiet("No frame yet: nothing on this page has come alive.");
  const rows = [];
  let sides;
  let trips;

  const delay = h(
    "select",
    {
      onchange: () => {
        tap.state.delay = +delay.value;
        tap.keep();
        tap.changed("delay");
      },
    },
    Object.entries(DELAYS).map(([value, name]) => h("option", { value }, name)),
  );
  delay.value = tap.state.delay in DELAYS ? tap.state.delay : 0;
  const clear = h("button", { type: "button", class: "plain" }, "Clear");
  const begin = () => {
    sides = { up: { count: 0, size: 0 }, down: { count: 0, size: 0 } };
    trips = [];
    rows.length = 0;
    list.replaceChildren();
  };
  clear.addEventListener("click", () => {
    begin();
    update();
  });

  const update = () => {
    const side = ({ count, size }) => `${many(count, "frame")}, ${bytes(size)}`;
    const sorted = [...trips].sort((a, b) => a - b);
    totals.replaceChildren(
      facts([
        ["Connection", tap.link || "not opened"],
        ["Up", side(sides.up)],
        ["Down", side(sides.down)],
        [
          "Round trip",
          trips.length
            ? `${ms(trips.at(-1))} last, ${ms(sorted[sorted.length >> 1])} median, ${ms(sorted.at(-1))} longest`
            : "no call yet",
        ],
      ]),
    );
    for (const { took, record } of rows) took.textContent = record.took === null ? "" : ms(record.took);
    empty.hidden = rows.length > 0;
  };

  const add = (record) => {
    const side = record.up ? sides.up : sides.down;
    side.count++;
    side.size += record.bytes;
    if (!record.up && record.took !== null) trips = [...trips.slice(1 - MOST), record.took];
    const made = row(record);
    rows.unshift(made);
    list.prepend(made.item);
    if (rows.length > MOST) rows.pop().item.remove();
  };

  begin();
  for (const record of tap.frames) add(record);
  update();
  return {
    element: h(
      "div",
      {},
      totals,
      h("p", { class: "tools" }, h("label", {}, "Added latency ", delay), clear),
      empty,
      list,
    ),
    changed(name, record) {
      if (name === "frame") add(record);
      update();
    },
  };
};
