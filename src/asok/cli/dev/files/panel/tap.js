// Runs before the page's own modules: sees the frames of its live components, whether they go by
// WebSocket or by POST, delays them where the developer wants to, and loads the panel.
(() => {
  const { WebSocket: Socket, fetch: ask } = window;
  const source = new URL(document.currentScript.src);
  const page = +source.searchParams.get("page");
  const state = { open: false, tab: "request", delay: 0 };
  try {
    Object.assign(state, JSON.parse(localStorage.getItem("asok-panel")));
  } catch {
    // No storage in this frame, or somebody else's text in it.
  }

  // What the panel reads; `changed` is its own, and is called with the name of what is new.
  // `frames` are those before the panel was there; `count` and `failed` are of all.
  const tap = { page, state, frames: [], count: 0, failed: false, told: null, link: "" };
  tap.changed = (name, record) => record && tap.frames.push(record);
  tap.keep = () => {
    try {
      localStorage.setItem("asok-panel", JSON.stringify(state));
    } catch {
      // Then it is remembered until the page is left.
    }
  };

  const names = {};
  const waiting = {};
  const liveUrl = (address) => {
    if (!URL.canParse(address, location.href)) return null; // who made it is told what is wrong
    const url = new URL(address, location.href);
    const ours = url.host === location.host && url.pathname.endsWith("/asok/live");
    if (ours) url.searchParams.set("page", page);
    return ours ? url : null;
  };

  const note = (up, text, over) => {
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    const [kind, n] = frame;
    const at = performance.now();
    if (kind === "j") {
      const wrapper = document.querySelector(`[data-asok-state="${CSS.escape(frame[2])}"]`);
      names[n] = wrapper?.dataset.asokComponent ?? names[n];
    }
    const record = { up, frame, text, over, at, name: names[n] ?? "", took: null };
    record.bytes = new Blob([text]).size;
    if (up && kind === "c") (waiting[n] ??= []).push(record);
    const answered = up ? 0 : kind === "e" ? frame[2] : "hso".includes(kind) && frame.at(-1);
    if (answered) {
      // An answer is one for all calls before it, too.
      for (const call of waiting[n] ?? [])
        if (call.frame[2] <= answered) call.took = record.took = at - call.at;
      waiting[n] = waiting[n]?.filter((call) => call.frame[2] > answered);
    }
    tap.count++;
    tap.failed ||= !up && kind === "e";
    tap.changed("frame", record);
  };

  // In order, also when the delay was made shorter meanwhile.
  let due = 0;
  const later = (send) => {
    const now = performance.now();
    due = Math.max(now + state.delay, due);
    if (due > now) setTimeout(send, due - now);
    else send();
  };

  const linked = (link) => {
    tap.link = link;
    tap.changed("link");
  };

  window.WebSocket = new Proxy(Socket, {
    construct(target, [address, ...rest], outer) {
      const url = liveUrl(address);
      const socket = Reflect.construct(target, [url ?? address, ...rest], outer);
      if (!url) return socket;
      const send = socket.send.bind(socket);
      socket.send = (text) => {
        note(true, text, "socket");
        later(() => socket.readyState === 1 && send(text));
      };
      socket.addEventListener("open", () => linked("WebSocket"));
      socket.addEventListener("message", ({ data }) => note(false, data, "socket"));
      socket.addEventListener("close", () => linked("offline"));
      return socket;
    },
  });

  window.fetch = async (...given) => {
    const [address, options] = given;
    const url = typeof address === "object" && "method" in address ? null : liveUrl(address);
    const body = options?.method === "POST" && options.body;
    if (!url || typeof body !== "string" || !body.startsWith("[")) return ask(...given);
    const frames = JSON.parse(body);
    for (const frame of frames) note(true, JSON.stringify(frame), "HTTP POST");
    // An empty request only asks whether the server is there.
    if (frames.length) linked("HTTP POST");
    await new Promise(later);
    const answer = await ask(url, options);
    // The runtime ends an answer that stays open when it likes: then there is no more to read.
    if (answer.ok) read(answer.clone()).catch(() => {});
    return answer;
  };

  // An answer is a list of frames, or stays open and has one in each event.
  const read = async (answer) => {
    const kind = answer.headers.get("content-type") ?? "";
    if (kind === "application/json")
      for (const frame of await answer.json()) note(false, JSON.stringify(frame), "HTTP POST");
    if (!kind.startsWith("text/event-stream")) return;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let part; !(part = await reader.read()).done; ) {
      const events = (text + part.value).split("\n\n");
      text = events.pop();
      for (const event of events) note(false, event.replace(/^data: /, ""), "HTTP POST");
    }
  };

  // `dev.js` has opened its socket to the development server, for the first time or again.
  addEventListener("asok-dev", ({ detail: socket }) => {
    socket.addEventListener("open", () => socket.send(JSON.stringify(["page", page])));
    socket.addEventListener("message", ({ data }) => {
      const [name, told] = JSON.parse(data);
      if (name !== "page") return;
      tap.told = told;
      tap.changed("told");
    });
  });

  import(new URL("panel.js", source)).then(({ show }) => show(tap));
})();
