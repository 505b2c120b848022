/** A component of the page: its wrapper element, which also remembers what this file lists. */

import { send } from "./socket.ts";
import type { Call } from "./wire.ts";

/** The wrapper of a component. Names that end in `_` are ours (and shortened by the build). */
export type Component = HTMLElement & {
  /** Its number on the wire. */
  n_: number;
  /** The HTML that splices refer to, as the server sent it; absent until it did. */
  html_?: string;
  /** The version that is shown. Undefined: the page's own HTML. -1: nothing to build on. */
  version_?: number;
  /** Calls without an answer, oldest first; the first `sent_` of them went over this socket.
   * Absent until the component hydrates: up to then it is plain HTML. */
  calls_?: QueuedCall[];
  sent_: number;
  /** The debounce that holds the last call back. */
  timer_?: number;
};

export type QueuedCall = Call & {
  /** Calls of one key replace each other while they wait: only the last value counts. */
  key_?: unknown;
  /** Not zero once it was answered. */
  done_?: number;
};

/** `data-asok-state` marks the wrapper of a component. */
export const SELECTOR = "[data-asok-state]";

/** Every component of the page by its number. */
export const components: Record<number, Component> = {};

/** Send what may be sent. A keyed call (typing) waits while another one is on its way or its
 * debounce runs, unless something was called after it: order is kept. */
export const pump = (component: Component) => {
  let call: QueuedCall | undefined;
  while (
    (call = component.calls_![component.sent_]) &&
    (!call.key_ ||
      component.calls_![component.sent_ + 1] ||
      !(component.sent_ || component.timer_)) &&
    send(call)
  )
    component.sent_++;
  (component as any).ariaBusy = component.classList.toggle(
    "asok-loading",
    component.sent_ as unknown as boolean,
  );
};
