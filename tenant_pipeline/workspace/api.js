/** The API client: one function a method, problems as errors, and for each thing that is done a key, and who does it. */

import { lookWhoIsHere, session } from "./store.js";

/** A refusal of the API (RFC 9457). */
export class Problem extends Error {
  /** @param {{title: string, status: number, code: string, where?: string, remedy?: string}} body */
  constructor(body) {
    super(body.title);
    this.status = body.status;
    this.code = body.code;
    this.where = body.where ?? "";
    this.remedy = body.remedy ?? "";
  }
}

/** Whether the same may be asked again in a while. @param {any} problem */
export const passes = ({ status }) => status === 0 || status === 429 || status >= 500;

const UNREACHABLE = { title: "unreachable", status: 0, code: "unreachable" };

/**
 * @param {string} method @param {string} path @param {unknown} [body] @param {Record<string, string>} [headers]
 * @returns {Promise<any>}
 */
async function ask(method, path, body, headers = {}) {
  let answer, text;
  try {
    answer = await fetch(path, {
      method,
      headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
    });
    text = await answer.text();
  } catch {
    throw new Problem(UNREACHABLE);
  }
  const said = text && answer.headers.get("content-type")?.includes("json") ? JSON.parse(text) : null;
  if (!answer.ok) throw new Problem(said ?? { title: answer.statusText, status: answer.status, code: "http" });
  return said;
}

/** @param {string} path @param {Record<string, string>} [headers] */
export const get = (path, headers) => ask("GET", path, undefined, headers);

/** Do something, once, and as who is shown here: a request that is lost on the way is sent again with the same key.
 * @param {string} path @param {unknown} [body] @param {string} [method] */
export async function act(path, body = {}, method = "POST") {
  /** @type {Record<string, string>} */
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  if (session.value) headers["Session-Person"] = encodeURIComponent(session.value.person);
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await ask(method, path, body, headers);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (problem.code === "session-changed") lookWhoIsHere();
      const lost = problem.code === "unreachable" || problem.code === "idempotency-key-in-use";
      if (!lost || attempt === 3) throw problem;
      await new Promise((resume) => setTimeout(resume, 500 * 2 ** attempt));
    }
  }
}
