// Random trees, each shown after the one before; the first whose DOM is not what innerHTML makes
// of it is returned: [before, wanted, got].
window.fuzz = (seed, rounds) => {
  const random = () => {
    // mulberry32: https://github.com/cprosche/mulberry32 (public domain)
    let t = (seed += 0x6d2b79f5);
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(random() * n);
  const pick = (list) => list[below(list.length)];
  const words = ["", " ", "one", "two &amp; three", "😀", "e\u0301", "\n  ", "مرحبا", "<!--note-->"];
  const tags = ["div", "p", "span", "b", "section", "em", "label", "x-thing", "svg", "ul"];
  const attribute = () =>
    pick([
      () => ` class="${pick(["a", "b", "a b", ""])}"`,
      () => ` title="${pick(words).replace(/[<>]/g, "")}"`,
      () => " hidden",
      () => ` data-n="${below(4)}"`,
      () => ` ws-click.prevent="go(${below(3)})"`,
    ])();
  const attributes = () => {
    const made = new Map();
    for (let n = below(3); n--; ) {
      const text = attribute();
      made.set(text.split("=")[0], text);
    }
    return [...made.values()].join("");
  };
  const key = (scale) => pick(["", "", ` key="${below(scale)}"`, ` id="i${below(scale)}"`]);
  const field = () =>
    pick([
      () => `<input name="f${below(3)}" value="${pick(["", "x", "y"])}"${key(4)}>`,
      () => `<input type="checkbox" name="c"${pick(["", " checked"])}>`,
      () => `<button${attributes()}>${pick(words)}</button>`,
      () => `<textarea name="t">${pick(["", "x", "long text"])}</textarea>`,
      () =>
        `<select name="s">${[0, 1, 2]
          .slice(below(3))
          .map((n) => `<option value="${n}"${pick(["", " selected"])}>${n}</option>`)
          .join("")}</select>`,
      () => `<details${pick(["", " open"])}><summary>s</summary>${pick(words)}</details>`,
    ])();
  const node = (depth) => {
    const kind = random();
    if (kind < 0.3) return pick(words);
    if (kind < 0.4) return field();
    if (kind < 0.44) return pick([table, drawing])();
    const tag = pick(tags);
    return `<${tag}${key(6)}${attributes()}>${depth ? children(depth - 1) : pick(words)}</${tag}>`;
  };
  const children = (depth) => Array.from({ length: below(6) }, () => node(depth)).join("");
  const list = () =>
    `<ul>${Array.from({ length: below(12) }, () => `<li key="${below(12)}">${pick(words)}</li>`).join("")}</ul>`;
  const table = () =>
    `<table>${pick(["", "<caption>c</caption>"])}<tbody>${Array.from(
      { length: below(6) },
      () => `<tr${key(6)}><td${attributes()}>${pick(words)}</td></tr>`,
    ).join("")}</tbody></table>`;
  const drawing = () =>
    `<svg viewBox="0 0 ${below(9)} 9">${Array.from(
      { length: below(4) },
      () => `<g${key(4)}><path d="M0 ${below(9)}"/><text>${pick(words.slice(0, 5))}</text></g>`,
    ).join("")}</svg>`;
  // The HTML of a scope, whatever the order of its attributes.
  const written = (scope) => {
    const copy = scope.cloneNode(true);
    for (const element of copy.querySelectorAll("*"))
      for (const attribute of [...element.attributes].sort((a, b) => (a.name < b.name ? -1 : 1)))
        element.setAttributeNode(element.removeAttributeNode(attribute));
    return copy.innerHTML;
  };
  const state = (scope) =>
    [...scope.querySelectorAll("input, textarea, select, option")].map((field) =>
      [field.value, field.checked, field.selected].join(),
    );
  // Every node of the page stays until its parent has none of its kind, name and key any more.
  const kind = (node) =>
    node.nodeName + node.name + (node.getAttribute?.("key") || node.getAttribute?.("id"));
  const counted = (scope) => {
    const counts = new Map();
    for (const node of scope.childNodes) counts.set(kind(node), (counts.get(kind(node)) || 0) + 1);
    return counts;
  };
  for (let round = 0, before = written(root); round < rounds; round++) {
    const html = pick([() => children(3), () => children(1), list, () => list() + children(2)])();
    const fresh = document.createElement("div");
    fresh.innerHTML = html;
    const [had, wants, nodes] = [counted(root), counted(fresh), new Set(root.childNodes)];
    show(html);
    const wanted = written(fresh);
    if (written(root) != wanted) return [before, wanted, written(root)];
    let kept = 0;
    let could = 0;
    for (const node of root.childNodes) kept += nodes.has(node);
    for (const [one, count] of wants) if (had.get(one) == count && count == 1) could++;
    if (kept < could) return [before, wanted, `${kept} nodes were kept, ${could} could be`];
    if (state(root).join() != state(fresh).join())
      return [before, wanted, state(root).join(" "), state(fresh).join(" ")];
    before = wanted;
  }
  return null;
};
