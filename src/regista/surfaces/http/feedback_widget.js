/* Regista's feedback widget: two thumbs and a comment under an answer. It needs no other script and no inline style.

   <script src="https://api.example/v1/feedback/widget.js" defer></script>
   <regista-feedback trace="…" token="…"></regista-feedback>

   `trace` and `token` are `regista.trace_id` and `regista.feedback` of the answer. Texts can be given by the attributes
   label, up, down, comment, send, thanks and failed. What is sent is told by the event "regista-feedback". */
(() => {
  "use strict";
  const script = document.currentScript;
  const home = new URL("widget", script ? script.src : location.href).href;
  const TEXTS = {
    label: "Was this answer helpful?",
    up: "Helpful",
    down: "Not helpful",
    comment: "What could be better? (optional)",
    send: "Send",
    thanks: "Thank you.",
    failed: "This could not be sent.",
  };
  const HAND = "M3 11h3v10H3z M8 21h9a2 2 0 0 0 2-1.6l1.6-7A2 2 0 0 0 18.6 10H14V5.5A2.5 2.5 0 0 0 11.5 3L8 10.5z";
  const STYLE = `
    :host { display: inline-block; font: inherit; color: inherit; }
    [hidden] { display: none; }
    div, form { display: flex; flex-wrap: wrap; gap: .5em; align-items: center; }
    form { margin-top: .5em; }
    button { font: inherit; color: inherit; background: none; border: 1px solid currentColor; border-radius: .4em;
      min-width: 2.75em; min-height: 2.75em; padding: .25em .75em; cursor: pointer; }
    button:focus-visible, textarea:focus-visible { outline: 3px solid #1a73e8; outline-offset: 2px; }
    button[aria-pressed="true"] { outline: 2px solid currentColor; outline-offset: -4px; font-weight: bold; }
    button[aria-pressed="true"]::after { content: " \\2713"; }
    label { flex-basis: 100%; }
    svg { width: 1.4em; height: 1.4em; vertical-align: middle; fill: none; stroke: currentColor; stroke-width: 1.8;
      stroke-linejoin: round; }
    [aria-pressed="true"] svg { fill: currentColor; }
    textarea { font: inherit; width: 100%; min-width: 16em; box-sizing: border-box; }
    output { min-height: 1.25em; }`;

  const make = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  const hand = (way) => {
    const [face, drawn] = ["svg", "path"].map((name) => document.createElementNS("http://www.w3.org/2000/svg", name));
    face.setAttribute("viewBox", "0 0 24 24");
    face.setAttribute("aria-hidden", "true");
    drawn.setAttribute("d", HAND);
    if (way === "down") drawn.setAttribute("transform", "matrix(1 0 0 -1 0 24)");
    face.append(drawn);
    return face;
  };

  class RegistaFeedback extends HTMLElement {
    connectedCallback() {
      if (this.shadowRoot) return;
      const root = this.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      this.said = make("output");
      this.said.setAttribute("aria-live", "polite");
      const question = make("span", { id: "question", textContent: this.text("label") });
      const thumbs = make("div", {}, question, this.thumb("up"), this.thumb("down"), this.said);
      thumbs.setAttribute("role", "group");
      thumbs.setAttribute("aria-labelledby", "question");
      const area = make("textarea", { id: "comment", rows: 2, maxLength: 10000 });
      const label = make("label", { htmlFor: "comment", textContent: this.text("comment") });
      this.form = make("form", { hidden: true }, label, area, make("button", { textContent: this.text("send") }));
      this.form.addEventListener("submit", async (event) => {
        event.preventDefault();
        if (area.value.trim() && (await this.send({ kind: "comment", text: area.value }))) this.form.hidden = true;
      });
      root.append(thumbs, this.form);
    }

    text(name) {
      return this.getAttribute(name) ?? TEXTS[name];
    }

    thumb(way) {
      const button = make("button", { type: "button", title: this.text(way) }, hand(way));
      button.setAttribute("aria-label", this.text(way));
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", async () => {
        if (!(await this.send({ kind: "thumb", value: way }))) return;
        for (const other of this.shadowRoot.querySelectorAll("button[aria-pressed]")) {
          other.setAttribute("aria-pressed", String(other === button));
        }
        this.form.hidden = false;
      });
      return button;
    }

    async send(given) {
      const body = { trace: this.getAttribute("trace"), token: this.getAttribute("token"), ...given };
      let sent = false;
      try {
        const headers = { "content-type": "application/json" };
        const request = { method: "POST", headers, body: JSON.stringify(body), credentials: "omit" };
        sent = (await fetch(this.getAttribute("action") ?? home, request)).ok;
      } catch {
        sent = false;
      }
      this.said.textContent = this.text(sent ? "thanks" : "failed");
      this.dispatchEvent(new CustomEvent("regista-feedback", { bubbles: true, detail: { ...given, sent } }));
      return sent;
    }
  }

  if (!customElements.get("regista-feedback")) customElements.define("regista-feedback", RegistaFeedback);
})();
