// The sections that show what the server knows: the request, its SQL, and its questions to caches.
import { facts, h, many, ms, quiet } from "./elements.js";

const loaded = () => {
  const [timing] = performance.getEntriesByType("navigation");
  if (!timing) return null;
  const end = timing.loadEventStart ? `, loaded after ${ms(timing.loadEventStart)}` : "";
  return `first byte after ${ms(timing.responseStart)}${end}`;
};

const request = ({ told }) =>
  facts([
    ["Request", `${told.method} ${told.path}`],
    ["Status", told.status],
    ["Time", `${ms(told.ms)} in the server`],
    ["Browser", loaded()],
    ["Route", told.route?.pattern ?? "none"],
    ["File", told.route && h("code", {}, told.route.file)],
    ["Mode", told.route?.mode],
    ["Cache-Status", told.cacheStatus && h("code", {}, told.cacheStatus)],
  ]);

const warning = ({ line, advice }) =>
  h("li", {}, h("b", {}, "N+1 "), h("code", {}, line), ` ${advice}`);

const statement = ({ sql, count, line, ms: took }) =>
  h(
    "li",
    {},
    h("pre", { tabindex: 0 }, sql),
    h(
      "p",
      {},
      h("code", {}, line ?? "not in a file of the site"),
      count > 1 && h("span", { class: "times" }, `${count} times`),
      h("span", { class: "took" }, ms(took)),
    ),
  );

const statements = (work, of) =>
  work.queries === 0
    ? null
    : [
        h("p", { class: "title" }, `${of}: ${many(work.queries, "query", "queries")}, ${ms(work.ms)}`),
        work.repeated.length > 0 && h("ul", { class: "warnings" }, work.repeated.map(warning)),
        h("ol", { class: "statements" }, work.statements.map(statement)),
      ];

const sql = ({ told }) =>
  h(
    "div",
    {},
    told.request.queries + told.live.queries === 0 && quiet("This page asked no database."),
    statements(told.request, "The request"),
    statements(told.live, "Live calls"),
  );

const NAMES = ["hits", "misses", "stale", "errors", "computations"];

const counts = (label, counted, className = "") =>
  h(
    "tr",
    { class: className },
    h("th", { scope: "row" }, label),
    NAMES.map((name) => h("td", { class: counted[name] ? "" : "zero" }, counted[name] ?? 0)),
  );

const cache = ({ told }) =>
  h(
    "div",
    {},
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h("tr", {}, h("td", {}), NAMES.map((name) => h("th", { scope: "col" }, name))),
      ),
      h(
        "tbody",
        {},
        counts("This request", told.request.cache),
        NAMES.some((name) => told.live.cache[name]) && counts("Live calls", told.live.cache),
        told.totals && counts("Since the start", told.totals),
      ),
      h(
        "tbody",
        { "aria-label": "By key" },
        told.request.keys.map((one) => counts(h("code", {}, one.key), one, "key")),
        told.live.keys.map((one) =>
          counts(h("span", {}, h("code", {}, one.key), " live"), one, "key"),
        ),
      ),
    ),
  );

const served = (draw) => (tap) => {
  const element = h("div");
  const changed = (name) => {
    if (name !== "told") return;
    element.replaceChildren(tap.told ? draw(tap) : quiet("The server has not told it yet."));
  };
  changed("told");
  return { element, changed };
};

export const requestSection = served(request);
export const sqlSection = served(sql);
export const cacheSection = served(cache);
