/** The Alive runtime: what a page with live components loads. */

import { components, pump } from "./component.ts";
import { handle } from "./events.ts";
import { scan } from "./island.ts";
import { more } from "./loader.ts";
import { morph } from "./morph.ts";
import { connect, onPage, socket } from "./socket.ts";
import type { Splice } from "./wire.ts";

connect.receive_ = (frame: any) => {
  const [kind, n, version, body, splices] = frame;
  const component = components[n];
  kind || scan(1);
  // Errors, events, CSRF values, reloads: rare, so `more.ts` knows what to do.
  const rare = /^[degprt]/.test(kind) && more(frame, component);
  if (component) {
    const seq = kind == "e" ? version : frame.at(-1);
    if (seq) {
      // An answer is one for all calls before it too.
      component.calls_ = component.calls_!.filter(
        (call) => call[2] > seq || !(call.done_ = component.sent_--),
      );
      delete sessionStorage.asok;
    }
    if (!rare && version >= component.version_!) {
      // A base that we don't have: come back, and get everything.
      if (kind == "s" && body != component.version_) socket!.close();
      else {
        if (kind != "o") {
          const template = document.createElement("template");
          template.innerHTML = component.html_ =
            kind == "h"
              ? body
              : // The last splice first: offsets are UTF-16 units of the base.
                splices.reduceRight(
                  (html: string, [at, del, text]: Splice) =>
                    html.slice(0, at) + text + html.slice(at + del),
                  component.html_,
                );
          const focused = document.activeElement as HTMLElement;
          morph(component, template.content);
          // Only where moveBefore is missing does a moved field lose the focus; its selection
          // it keeps anyway.
          focused.focus({ preventScroll: 1 as any });
          scan();
        }
        component.version_ = version;
      }
    }
    pump(component);
  }
};

"click input change submit keyup keydown".split(" ").map((type) => addEventListener(type, handle));
// A page that comes back from the back-forward cache becomes visible
// (HTML, "reactivate a document").
// "asok" is for whoever puts components into the page: `defer.ts`, or a script of the site.
"pagehide online visibilitychange asok"
  .split(" ")
  .map((type) => addEventListener(type, (event) => scan(onPage(event))));

scan();
