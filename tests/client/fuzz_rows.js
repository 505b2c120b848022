// Keyed rows in any order, between which a visitor works: what of it a new order took away is
// returned, as "row: what", with the orders before and after.
window.made ||= new Map();
customElements.get("x-row") ||
  customElements.define(
    "x-row",
    class extends HTMLElement {
      constructor() {
        super();
        made.set(this, 0);
      }
      connectedCallback() {}
      // Where it is there, a move is no leaving (https://html.spec.whatwg.org/#custom-element-reactions).
      connectedMoveCallback() {}
      disconnectedCallback() {
        made.set(this, made.get(this) + 1);
      }
    },
  );
window.fuzzRows = (seed, rounds) => {
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const below = (n) => Math.floor(random() * n);
  const moves = "moveBefore" in Element.prototype;
  const row = (key, round) => `
    <tr key="${key}" class="r${round % 3}"><td>${key} ${round}</td><td><input name="t${key}" value="v${key}">
      <textarea name="a${key}"></textarea><input type="checkbox" name="c${key}">
      <select name="s${key}"><option>x<option>y<option>z</select></td>
      <td><details><summary>s</summary>${round}</details><div class="box">${"<p>line</p>".repeat(30)}</div>
      <x-row>${round}</x-row><iframe></iframe><svg viewBox="0 0 ${round % 7} 9"><g><path d="M0 ${round}"/></g></svg>
      <dialog>${round}</dialog></td></tr>`;
  const table = (keys, round) =>
    `<p>${round}</p>` +
    `<table><tbody>${keys.map((key) => row(key, round)).join("")}</tbody></table>`;
  const rows = () =>
    new Map([...root.querySelectorAll("tr")].map((tr) => [+tr.getAttribute("key"), tr]));
  let keys = [0, 1, 2, 3, 4];
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(".box { block-size: 20px; overflow: auto }");
  document.adoptedStyleSheets = [sheet];
  show(table(keys, 0));
  for (let round = 1; round <= rounds; round++) {
    // The visitor works in some row.
    const before = rows();
    const key = keys[below(keys.length)];
    const tr = before.get(key);
    const [text, area, box, choice] = tr.querySelectorAll("input, textarea, select");
    const typed = random() < 0.5 ? text : area;
    typed.focus();
    typed.value = "typed " + round;
    typed.dispatchEvent(new InputEvent("input", { bubbles: true }));
    typed.setSelectionRange(1, 4);
    box.checked = random() < 0.5;
    box.dispatchEvent(new InputEvent("input", { bubbles: true }));
    choice.selectedIndex = below(3);
    choice.dispatchEvent(new InputEvent("input", { bubbles: true }));
    tr.querySelector("details").open = random() < 0.5;
    random() < 0.3 && (tr.querySelector("dialog").open || tr.querySelector("dialog").show());
    typed.focus();
    typed.setSelectionRange(1, 4);
    tr.querySelector(".box").scrollTop = 7 + below(50);
    tr.querySelector("iframe").contentWindow.mark ??= key;
    const noted = new Map(
      [...before].map(([key, tr]) => [
        key,
        {
          fields: [...tr.querySelectorAll("input, textarea, select")].map((f) => f.value + f.checked),
          open: [...tr.querySelectorAll("details, dialog")].map((one) => one.open),
          scroll: tr.querySelector(".box").scrollTop,
          mark: tr.querySelector("iframe").contentWindow.mark,
          own: tr.querySelector("x-row"),
          left: made.get(tr.querySelector("x-row")),
        },
      ]),
    );
    // The server answers with some of the rows and new ones, in another order.
    const next = keys.filter(() => random() < 0.85);
    for (let n = below(3); n--; ) next.splice(below(next.length + 1), 0, 1000 * round + n);
    for (let n = below(4); n--; )
      next.splice(below(next.length), 0, ...next.splice(below(next.length), 1));
    if (next.length > 12) next.length = 12;
    if (!next.length) next.push(key);
    show(table(next, round));
    const after = rows();
    const wrong = [];
    if ([...after.keys()].join() != next.join()) wrong.push("order");
    for (const [key, tr] of after) {
      const was = noted.get(key);
      if (tr.cells[0].textContent != `${key} ${round}`) wrong.push(`${key}: text`);
      if (tr.querySelector("path").getAttribute("d") != `M0 ${round}`) wrong.push(`${key}: svg`);
      if (!was) continue;
      if (tr != before.get(key)) wrong.push(`${key}: row`);
      if (tr.querySelector("x-row") != was.own) wrong.push(`${key}: element`);
      [...tr.querySelectorAll("input, textarea, select")].forEach((field, at) => {
        if (field.value + field.checked != was.fields[at]) wrong.push(`${key}: ${field.name}`);
      });
      [...tr.querySelectorAll("details, dialog")].forEach((one, at) => {
        if (one.open != was.open[at]) wrong.push(`${key}: ${one.nodeName}`);
      });
      if (!moves) continue;
      if (tr.querySelector(".box").scrollTop != was.scroll) wrong.push(`${key}: scroll`);
      if (tr.querySelector("iframe").contentWindow.mark != was.mark) wrong.push(`${key}: frame`);
      if (made.get(was.own) != was.left) wrong.push(`${key}: element left`);
    }
    if (after.has(key)) {
      const focused = document.activeElement;
      if (focused != typed) wrong.push(`${key}: focus`);
      else if (`${typed.selectionStart}-${typed.selectionEnd}` != "1-4") wrong.push(`${key}: caret`);
    }
    if (wrong.length) return [wrong, keys, next];
    keys = next;
  }
  return null;
};
