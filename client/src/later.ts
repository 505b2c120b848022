/** `client='interaction'` and `client='media:(query)'`: components that stay plain HTML until
 * their time. Loaded by pages that have some; then the runtime takes them up. */

/** Names the wrapper, and holds what becomes its state; `data-asok-client` says when. */
const SELECTOR = "[data-asok-later]";

const wake = (element: HTMLElement) => {
  if (element.dataset.asokLater == null) return;
  element.dataset.asokState = element.dataset.asokLater;
  delete element.dataset.asokLater;
  dispatchEvent(new Event("asok"));
};

const watched = new WeakSet<Element>();

const scan = () => {
  for (const element of document.querySelectorAll<HTMLElement>(SELECTOR)) {
    const query = /^media:(.*)/s.exec(element.dataset.asokClient || "")?.[1];
    if (!query || watched.has(element)) continue;
    watched.add(element);
    const media = matchMedia(query);
    const look = () => media.matches && wake(element);
    media.addEventListener("change", look);
    look();
  }
};

// The first touch wakes it before the event itself gets to the runtime, which then calls.
for (const type of ["pointerdown", "focusin", "keydown", "touchstart", "click", "input", "submit"])
  addEventListener(
    type,
    ({ target }) => {
      const element = (target as Element).closest?.<HTMLElement>(SELECTOR);
      if (element?.dataset.asokClient == "interaction") wake(element);
    },
    { capture: true, passive: true },
  );

// An update of another component may bring some, too.
new MutationObserver(scan).observe(document, { subtree: true, childList: true });
scan();
