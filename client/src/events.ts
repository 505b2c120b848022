/** Delegated events: `ws-click="remove(3, 'x')"` and its family become calls. */

import { type Component, pump, SELECTOR, type QueuedCall } from "./component.ts";
import { hydrate } from "./island.ts";

/** Rises over the whole page view: a component that left and came back goes on counting. */
let sequence = 0;

export const handle = (event: any) => {
  const { target, key, type } = event;
  const isSubmit = type == "submit";
  if (type == "input") target.dirty_ = {};
  else if (event.isComposing) return;
  for (let element: Element | null = target; element; element = element.parentElement)
    for (const { name, value: code } of element.attributes) {
      const [, word, filter] = /^ws-(\w+)(?:.*\.(?!pr|st|deb)(\w+))?/.exec(name) || [];
      const isModel = word == "model";
      if (type == (isModel ? "input" : word) && (!filter || filter == key.toLowerCase())) {
      if (isSubmit || /\.pr/.test(name)) event.preventDefault();
      const component = element.closest<Component>(SELECTOR);
      if (component) {
        const delay = -(name.match(/-\d+/) as any) || 250 * (/\.deb/.test(name) as any);
        const [method, args = ""] = code.split(/\((.*)\)/s);
        const same = (/put|up/.test(type) && !filter || delay) && code + target.name;
        const value = target.type == "checkbox" ? target.checked : target.value;
        const data: any = type == "click" ? null : isSubmit ? { __proto__: null } : { key, name: target.name, value };
        if (isSubmit)
          for (const [name, value] of new FormData(target, event.submitter))
            if (name != "csrf_token") data[name] = name in data ? [data[name], value].flat() : value;
        hydrate(component);
        let call: QueuedCall | undefined = component.calls_![component.sent_];
        (same && call?.key_ == same) || component.calls_!.push((call = ["c", component.n_, ++sequence]));
        call!.splice(3, 3, isModel ? "$model" : method, isModel ? [code, value] : JSON.parse(`[${args.replace(/'/g, '"')}]`), data);
        call!.key_ = same;
        for (const field of isSubmit ? target.elements : [target]) field.dirty_ = call;
        clearTimeout(component.timer_ as number);
        component.timer_ = delay && (setTimeout(() => {
          component.timer_ = 0;
          pump(component);
        }, delay) as any);
        pump(component);
      }
      if (/\.st/.test(name)) return;
      }
    }
};
