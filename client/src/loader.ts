/** What few pages need: loaded when its attribute or frame appears, or no socket can be opened. */

import type { Component } from "./component.ts";
import { handle } from "./events.ts";
import { connect } from "./socket.ts";

/** Put in by the build: the address of `more.ts`, named by its content. */
declare const MORE: string;

/** Have `more.ts` do what a frame says, or only take over the events. One that can't be loaded is
 * asked for again next time. */
export const more = (frame?: unknown, component?: Component): unknown =>
  import(MORE).then((part) => part.default(handle, connect, frame, component), String);
