// Makes elements, and words of numbers.

export const h = (tag, properties = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
};

// With about two digits: more of them are noise.
export const ms = (value) => {
  const scale = value < 1 ? 100 : value < 10 ? 10 : 1;
  return `${Math.round(value * scale) / scale} ms`;
};

export const bytes = (count) => (count < 1024 ? `${count} B` : `${(count / 1024).toFixed(1)} KB`);

export const many = (count, one, more = `${one}s`) => `${count} ${count === 1 ? one : more}`;

export const facts = (pairs) =>
  h(
    "dl",
    {},
    pairs.filter(([, value]) => value != null && value !== "").map(([name, value]) =>
      h("div", {}, h("dt", {}, name), h("dd", {}, value)),
    ),
  );

export const quiet = (text) => h("p", { class: "quiet" }, text);
