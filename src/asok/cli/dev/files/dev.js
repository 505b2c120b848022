// Keeps a page of the development server up to date: swaps stylesheets, reloads, reconnects.
// What was typed into the page stays, also while it shows what is wrong with it.
(() => {
  const source = new URL(document.currentScript.src);
  let shown = source.searchParams.get("v");
  let delay = 50;
  let socket;
  let reloading = false;

  // The page that shows a failure has no fields of its own: what was kept waits behind it.
  const failed = document.documentElement.hasAttribute("data-asok-failed");
  const KEPT = "asok-dev-typed";
  const SECRET = /^(password|hidden|file|submit|button|image|reset)$/;

  // The fields of the page by what they are known by after it was loaded again.
  const fields = () => {
    const found = new Map();
    for (const field of document.querySelectorAll("input, select, textarea")) {
      if (SECRET.test(field.type)) continue;
      const place = field.closest("[data-asok-state]")?.id ?? "";
      const box = /^(checkbox|radio)$/.test(field.type) ? field.value : "";
      const known = [place, field.type, field.name, field.id, box].join(" ");
      for (let at = 0; ; at++)
        if (!found.has(`${known} ${at}`)) {
          found.set(`${known} ${at}`, field);
          break;
        }
    }
    return found;
  };

  const chosen = (select) => [...select.options].map((one) => one.selected);

  const isChanged = (field) => {
    if (field.options) {
      const own = [...field.options].map((one) => one.defaultSelected);
      if (!field.multiple && !own.includes(true)) own[0] = true;
      return String(own) !== String(chosen(field));
    }
    return /^(checkbox|radio)$/.test(field.type)
      ? field.checked !== field.defaultChecked
      : field.value !== field.defaultValue;
  };

  const keep = () => {
    const typed = [];
    let focused;
    for (const [known, field] of fields()) {
      if (field === document.activeElement)
        focused = [known, field.selectionStart, field.selectionEnd];
      if (isChanged(field))
        typed.push([known, field.value, field.checked, field.options && chosen(field)]);
    }
    const kept = { path: location.pathname, typed, focused, x: scrollX, y: scrollY };
    sessionStorage.setItem(KEPT, JSON.stringify(kept));
  };

  const giveBack = () => {
    const kept = JSON.parse(sessionStorage.getItem(KEPT));
    sessionStorage.removeItem(KEPT);
    if (kept?.path !== location.pathname) return;
    const found = fields();
    for (const [known, value, checked, options] of kept.typed) {
      const field = found.get(known);
      if (!field) continue;
      if (options) [...field.options].forEach((one, at) => (one.selected = options[at]));
      else if (/^(checkbox|radio)$/.test(field.type)) field.checked = checked;
      else field.value = value;
      // For the runtime as if it was typed: no answer takes it away.
      field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }
    scrollTo({ left: kept.x, top: kept.y, behavior: "instant" });
    const [known, from, to] = kept.focused ?? [];
    const field = found.get(known);
    field?.focus({ preventScroll: true });
    if (field && from != null) field.setSelectionRange(from, to);
  };

  const reload = () => {
    if (reloading) return;
    reloading = true;
    if (!failed) keep();
    location.reload();
  };

  // The new sheet is loaded beside the old one, so that the page is never without style.
  const swapStyles = (version) => {
    for (const link of document.querySelectorAll('link[rel~="stylesheet"]')) {
      const url = new URL(link.href, location.href);
      if (url.origin !== location.origin) continue;
      url.searchParams.set("asok", version);
      const next = link.cloneNode();
      next.href = url;
      next.addEventListener("load", () => link.remove());
      next.addEventListener("error", () => next.remove());
      link.after(next);
    }
  };

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { all: initial; position: fixed; inset: auto 1rem 1rem auto; z-index: 2147483647;
      max-width: min(32rem, calc(100vw - 2rem)); font: 14px/1.5 system-ui, sans-serif; }
    div { display: grid; gap: .35rem; padding: .8rem 1rem; border-radius: .6rem; background: #2a0f0f;
      color: #ffe9e6; border: 1px solid #b42318; box-shadow: 0 8px 30px #0006; white-space: pre-wrap;
      overflow-wrap: anywhere; }
    a { color: #ffb4a8; font-weight: 600; }`);

  const showFailure = (number, summary) => {
    document.querySelector("asok-failure")?.remove();
    const host = document.createElement("asok-failure");
    const root = host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    const box = document.createElement("div");
    box.setAttribute("role", "alert");
    const link = document.createElement("a");
    link.href = new URL(`dev/failure/${number}`, source);
    link.target = "_blank";
    link.textContent = "Show where";
    box.append(summary, document.createElement("br"), link);
    root.append(box);
    document.body.append(host);
  };

  const connect = () => {
    const address = new URL("dev", source);
    address.protocol = address.protocol.replace("http", "ws");
    socket = new WebSocket(address);
    dispatchEvent(new CustomEvent("asok-dev", { detail: socket }));
    socket.onmessage = ({ data }) => {
      const [name, first, second] = JSON.parse(data);
      delay = 50;
      if (name === "version" && first !== shown) reload();
      else if (name === "style") swapStyles((shown = first));
      else if (name === "reload") reload();
      else if (name === "failed") showFailure(first, second);
    };
    // 1012: the next generation is listening already.
    socket.onclose = ({ code }) => {
      if (socket === null) return;
      setTimeout(connect, code === 1012 ? 0 : delay);
      delay = Math.min(delay * 2, 1000);
    };
  };

  // A page with an open socket can't be kept for going back; ours closes when it is left.
  addEventListener("pagehide", () => {
    const leaving = socket;
    socket = null;
    leaving?.close();
  });
  addEventListener("pageshow", ({ persisted }) => persisted && connect());
  if (!failed) giveBack();
  connect();
})();
