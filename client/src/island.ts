/** When a component hydrates: at once, when seen, when the browser idles, or when it is used. */

import { type Component, components, pump, SELECTOR } from "./component.ts";
import { morph } from "./morph.ts";
import { connect, send, socket } from "./socket.ts";

/** This page view, also after it came back from the back-forward cache. */
const TAB = Math.random() + "";

let last = 0;

/** Join over a new socket; what is not answered is sent again after all joins. */
const join = (component: Component) => {
  component.sent_ = 0;
  if (send(["j", component.n_, component.dataset.asokState, TAB, component.version_]))
    // Whatever version the answer has is the right one.
    component.version_ = -1;
};

export const hydrate = (component: Component) => {
  if (!component.calls_) {
    component.calls_ = [];
    socket || connect();
    join(component);
  }
};

/** Take up the components that appeared, leave those that went, and join all where the socket
 * was just opened. */
export const scan = (opened?: unknown) => {
  for (const n in components) {
    const component = components[n]!;
    if (!component.isConnected) {
      delete components[n];
      if (component.calls_) send(["l", +n]);
    } else if (opened && component.calls_) join(component);
  }
  for (const component of document.querySelectorAll<Component>(SELECTOR))
    // What a call emits is heard by those that were joined before it.
    if (component.n_) opened && component.calls_ && pump(component);
    else {
      const client = component.dataset.asokClient;
      components[(component.n_ = ++last)] = component;
      morph(component, component);
      if (client == "visible")
        new IntersectionObserver(
          (entries) => entries.at(-1)!.isIntersecting && hydrate(component),
        ).observe(component);
      else if (client == "idle")
        (self.requestIdleCallback || setTimeout)(() => hydrate(component), { timeout: 2e3 } as any);
      else hydrate(component);
    }
};
