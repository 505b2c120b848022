/** Components with `client='defer'`: what the page holds a place for is fetched for its visitor.
 * Loaded behind the runtime by pages that have some. */

/** Names the placeholder, and holds what it says to the server. */
const SELECTOR = "[data-asok-defer]";

/** Whether an answer is on its way. */
let running = 0;

/** Ask for everything whose place is held, and put it there. A server or network that fails is
 * asked once more; then the placeholders stay. */
const fill = async (retries: number) => {
  const places = [...document.querySelectorAll<HTMLElement>(SELECTOR)];
  if (running || !places.length) return;
  running = 1;
  const asked = Object.fromEntries(places.map((place) => [place.id, place.dataset.asokDefer]));
  let html: Record<string, string | null> = {};
  let failed = false;
  let isNew: string | null | undefined;
  try {
    // The neighbour of this file, also where the application is mounted.
    const answer = await fetch(new URL("fragments", import.meta.url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(asked),
    });
    failed = answer.status > 499;
    if (answer.ok) html = await answer.json();
    isNew = answer.headers.get("x-asok-session");
  } catch {
    failed = true;
  }
  if (failed && retries) await new Promise((done) => setTimeout(done, 1e3 + 1e3 * Math.random()));
  running = 0;
  if (failed && retries) return fill(retries - 1);
  for (const place of places)
    // A component around it may have been rendered anew meanwhile, with this one in it.
    if (place.matches(SELECTOR) && place.isConnected) {
      const template = document.createElement("template");
      const inside = (template.innerHTML = html[place.id] ?? "");
      if (inside) place.replaceWith(template.content);
      else {
        place.classList.add("asok-failed");
        place.ariaBusy = "false";
      }
    }
  // The runtime takes up what is new; one that is not there yet will find it by itself. A socket
  // that was opened before the visitor had a session is opened anew, as after a lost network.
  dispatchEvent(new Event(isNew ? "online" : "asok"));
};

fill(1);
// Back from the back-forward cache, or online again: what failed then may work now.
addEventListener("pageshow", (event) => event.persisted && fill(1));
addEventListener("online", () => fill(1));
