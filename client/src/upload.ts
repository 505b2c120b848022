/** A component's form with files goes by a POST of its own, as without JavaScript, and tells how
 * far it is. Loaded when such a form is sent. */

import type { Component } from "./component.ts";
import type { Field } from "./morph.ts";
import type { connect as Connect } from "./socket.ts";

const sending = new WeakSet<HTMLFormElement>();

export default (
  form: HTMLFormElement,
  submitter: HTMLElement | null,
  component: Component,
  code: string,
  connect: typeof Connect,
  /** Renders the component anew; what is returned becomes that call. */
  refresh: () => Field["dirty_"],
) => {
  if (sending.has(form)) return;
  sending.add(form);
  const data = new FormData(form, submitter);
  data.set("asok-state", component.dataset.asokState!);
  data.set("asok-call", code);
  const request = new XMLHttpRequest();
  request.open("POST", new URL("live", import.meta.url));
  request.setRequestHeader("accept", "application/json");
  request.upload.onprogress = ({ loaded, total }) => {
    for (const bar of form.querySelectorAll<HTMLProgressElement>("progress[ws-progress]")) {
      bar.max = total;
      bar.value = loaded;
    }
    form.dispatchEvent(
      new CustomEvent("asok:progress", { detail: { loaded, total }, bubbles: true }),
    );
  };
  request.onloadend = () => {
    sending.delete(form);
    const frames: any[][] =
      request.status == 200
        ? JSON.parse(request.responseText)
        : [["e", 0, 0, "upload", request.responseText]];
    // The socket's own call brings the HTML.
    const told = frames.filter(([kind]) => "deg".includes(kind));
    for (const [kind, , second, ...rest] of told)
      connect.receive_!([kind, component.n_, kind == "e" ? 0 : second, ...rest]);
    const call = refresh();
    if (!told.some(([kind]) => kind == "e"))
      for (const field of form.elements as unknown as Field[]) field.dirty_ = call!;
  };
  component.ariaBusy = "true";
  component.classList.add("asok-loading");
  request.send(data);
};
