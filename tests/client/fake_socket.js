// A socket inside the page: what the runtime sends is in `sent`; `push(frame)` answers at once.
window.sent = [];
window.WebSocket = class {
  constructor() {
    window.socket = this;
    this.readyState = 0;
    queueMicrotask(() => {
      this.readyState = 1;
      this.onopen({ type: "open" });
    });
  }
  send(text) {
    sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
    this.onclose?.({ type: "close" });
  }
};
window.push = (frame) => socket.onmessage({ type: "message", data: JSON.stringify(frame) });
let version = 0;
window.show = (html, seq = 0) => push(["h", 1, ++version, html, seq]);
Object.defineProperty(window, "root", { get: () => document.querySelector("[data-asok-state]") });
