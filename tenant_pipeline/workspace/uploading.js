/** Resumable uploads (tus 1.0): a file goes on where it was cut off, even in another session. */

import { Problem } from "./api.js";
import { ofTenant } from "./store.js";

const VERSION = { "Tus-Resumable": "1.0.0" };
const LONGEST_WAIT = 15_000;
/** Before the name of each upload that this browser knows of, until it is handed in, given up or over at the server. */
const KEPT = "uploads";

const nameOf = (key) => `${KEPT}|${key}`;
const known = (key) => localStorage.getItem(nameOf(key))?.split(" ")[1] ?? null;
const forget = (key) => localStorage.removeItem(nameOf(key));

/** @param {string} key @param {string} place @param {string | null} until */
function remember(key, place, until) {
  try {
    localStorage.setItem(nameOf(key), `${Date.parse(until ?? "")} ${place}`);
  } catch {
    // The browser keeps no more: then it is known for as long as the page is open.
  }
}

for (const name of Object.keys(localStorage).filter((each) => each.startsWith(KEPT))) {
  const until = Number(localStorage.getItem(name)?.split(" ")[0]);
  if (!(until > Date.now())) localStorage.removeItem(name);
}

/** @param {string} text */
const encoded = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

/** @param {Response} answer */
async function refused(answer) {
  const body = await answer.json().catch(() => ({ title: answer.statusText, status: answer.status, code: "http" }));
  return new Problem(body);
}

/** Whether the same may be tried again in a while, from where the server says that it is. @param {Problem} problem */
const passes = ({ status, code }) => [423, 429, 502, 503, 504].includes(status) || code === "offset-conflict";

/** A file on its way. Its progress is told to `changed`. */
export class Sending {
  /** @param {File} file @param {string} path where it lies in its folder @param {() => void} changed */
  constructor(file, path, changed) {
    this.file = file;
    this.path = path;
    this.changed = changed;
    this.offset = 0;
    this.shown = 0;
    /** @type {"ready" | "sending" | "paused" | "sent" | "refused"} */
    this.state = "ready";
    /** @type {Problem | null} */
    this.problem = null;
    /** Its address at the server, once it has one. @type {string | null} */
    this.place = null;
    /** @type {XMLHttpRequest | null} */
    this.request = null;
    /** Until it is at its end or paused: sent twice at once, it would be begun twice. @type {Promise<void> | null} */
    this.running = null;
    this.givenUp = false;
    this.key = [ofTenant(""), path, file.size, file.lastModified].join("|");
  }

  get id() {
    return this.place?.split("/").at(-1);
  }

  /** How many bytes have been sent, as far as is known. */
  get sent() {
    return Math.max(this.offset, this.state === "sending" ? this.shown : 0);
  }

  pause() {
    this.state = "paused";
    this.request?.abort();
    this.changed();
  }

  /** Stop sending it, and let what has arrived of it count no longer at the server. */
  giveUp() {
    this.givenUp = true;
    if (this.state === "sending") this.pause();
    const place = this.place ?? known(this.key);
    if (!place) return;
    forget(this.key);
    fetch(place, { method: "DELETE", headers: VERSION }).catch(() => {}); // it ends by itself in seven days
    this.place = null;
  }

  /** It is handed in: whoever chooses the file again begins anew. */
  done() {
    forget(this.key);
  }

  /** Send it to its end, or until it is paused; what is lost on the way is sent again. */
  send() {
    this.state = "sending";
    this.problem = null;
    this.changed();
    this.running ??= this.run().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  async run() {
    for (let wait = 500; this.state === "sending"; ) {
      try {
        if (!this.place) await this.begin();
        while (this.offset < this.file.size && this.state === "sending") {
          await this.rest();
          wait = 500;
        }
        if (this.offset === this.file.size) this.state = "sent";
        this.changed();
        return;
      } catch (problem) {
        if (problem instanceof Problem && !passes(problem)) {
          this.state = "refused";
          this.problem = problem;
          this.changed();
          return;
        }
        if (this.state !== "sending") {
          await this.find().catch(() => {});
          continue;
        }
        await new Promise((resume) => setTimeout(resume, wait));
        wait = Math.min(wait * 2, LONGEST_WAIT);
        await this.find().catch(() => {});
      }
    }
  }

  async begin() {
    this.place = known(this.key);
    await this.find();
    if (this.place) return;
    const metadata = [`filename ${encoded(this.file.name)}`, `relativePath ${encoded(this.path)}`].join(",");
    const answer = await fetch(ofTenant("/uploads"), {
      method: "POST",
      headers: { ...VERSION, "Upload-Length": String(this.file.size), "Upload-Metadata": metadata },
    });
    if (!answer.ok) throw await refused(answer);
    this.place = new URL(answer.headers.get("location") ?? "", location.href).pathname;
    this.offset = 0;
    remember(this.key, this.place, answer.headers.get("upload-expires"));
    if (this.givenUp) this.giveUp(); // while it was being begun
  }

  /** How much of it the server has. */
  async find() {
    if (!this.place) return;
    const answer = await fetch(this.place, { method: "HEAD", headers: VERSION });
    if (answer.status === 404 || answer.status === 410) {
      this.place = null;
      this.offset = 0;
    } else if (answer.ok) {
      this.offset = Number(answer.headers.get("upload-offset"));
      this.shown = this.offset; // of what was sent, some may never have arrived
    }
    this.changed();
  }

  /** Send all that is left, telling how far it has come: in one request, for what has arrived of it stays. */
  rest() {
    return /** @type {Promise<void>} */ (new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      const from = this.offset;
      this.request = request;
      request.open("PATCH", /** @type {string} */ (this.place));
      const headers = { ...VERSION, "Upload-Offset": String(from), "Content-Type": "application/offset+octet-stream" };
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.upload.onprogress = ({ loaded }) => {
        this.shown = from + loaded;
        this.changed();
      };
      request.onload = () => {
        if (request.status === 204) {
          this.offset = Number(request.getResponseHeader("upload-offset"));
          resolve();
          return;
        }
        const body = { title: request.statusText, status: request.status, code: "http" };
        try {
          Object.assign(body, JSON.parse(request.responseText));
        } catch {
          // A refusal that is not ours has no more to say.
        }
        reject(new Problem(body));
      };
      request.onerror = () => reject(new TypeError("cut off"));
      request.onabort = () => reject(new TypeError("paused"));
      request.send(this.file.slice(from));
    }));
  }
}

/** The files of what was dropped, each with its path; folders are walked. @param {DataTransfer} dropped */
export async function filesOf(dropped) {
  const entries = [...dropped.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  const found = [];
  const walk = async (entry, path) => {
    if (entry.isFile) {
      found.push({ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), path: path + entry.name });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return;
      for (const each of some) await walk(each, `${path}${entry.name}/`);
    }
  };
  for (const entry of entries) await walk(entry, "");
  return found;
}
