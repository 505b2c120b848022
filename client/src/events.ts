/** Delegated events: `ws-click="remove(3, 'x')"` and its family become calls. */

import { type Component, pump, SELECTOR, type QueuedCall } from "./component.ts";
import { hydrate } from "./island.ts";

/** Rises over the whole page view: a component that left and came back goes on counting. */
let sequence = 0;

/** Says instead of `handle` whether an attribute is meant by the event. */
export type Allow = (element: Element, name: string) => unknown;

/**
 * An event of the document: every `ws-<type>` attribute from the target up to the root is called,
 * the inner ones first. Modifiers stand in the attribute's name: `ws-input.debounce-300`.
 * `more.ts` knows further ones, and takes the place of this listener.
 */
export const handle = (event: any, allow?: Allow | void) => {
  const { target, key, type } = event;
  const isSubmit = type == "submit";
  // What is typed belongs to the visitor until a call that carries it was answered.
  if (type == "input") target.dirty_ = {};
  // Enter and its friends choose a word while an IME composes.
  else if (event.isComposing) return;
  for (let element: Element | null = target; element; element = element.parentElement)
    for (const { name, value: code } of element.attributes) {
      // A modifier that is none of ours is the name of a key.
      const [, word, filter] = /^ws-(\w+)(?:.*\.(?!pr|st|deb)(\w+))?/.exec(name) || [];
      const isModel = word == "model";
      if (
        allow
          ? allow(element, name)
          : type == (isModel ? "input" : word) && (!filter || filter == key?.toLowerCase())
      ) {
        if (isSubmit || /\.pr/.test(name)) event.preventDefault();
        const component = element.closest<Component>(SELECTOR);
        if (component) {
          const delay: any = /\.deb/.test(name) && (-(name.match(/-\d+/) as any) || 250);
          const [method, source = ""] = code.split(/\((.*)\)/s);
          // Typing: of what waits, only the last value is sent, and afterwards the server may
          // not write into the field while it has the focus. Anything else is sent as it comes.
          const value = target.type == "checkbox" ? target.checked : target.value;
          const same = (type == "input" || (type == "keyup" && !filter) || delay) && code + target.name;
          const args = isModel ? [code, value] : JSON.parse(`[${source.replace(/'/g, '"')}]`);
          const data: any =
            type == "click"
              ? null
              : isSubmit
                ? { __proto__: null }
                : { key, name: target.name, value };
          if (isSubmit)
            for (const [name, value] of new FormData(target, event.submitter))
              if (!/^csrf_t|^asok-/.test(name))
                data[name] = name in data ? [data[name], value].flat() : value;
          hydrate(component);
          let call: QueuedCall | undefined = component.calls_!.at(-1);
          (same && component.calls_![component.sent_] && same == call!.key_) ||
            component.calls_!.push((call = ["c", component.n_, ++sequence]));
          call!.splice(3, 3, isModel ? "$model" : method, args, data);
          call!.key_ = same;
          for (const field of isSubmit ? target.elements : [target]) field.dirty_ = call;
          clearTimeout(component.timer_);
          component.timer_ =
            delay &&
            setTimeout(() => {
              component.timer_ = 0;
              pump(component);
            }, delay);
          pump(component);
        }
        if (/\.st/.test(name)) return;
      }
    }
};
