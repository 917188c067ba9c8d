/** Times as people read and type them: in their language, in Bangkok's time, and in the Buddhist era where they ask for it. */

import { calendar, language } from "./store.js";

/** @type {Record<string, string>} */
const LOCALES = { en: "en-GB", th: "th-TH", zh: "zh-CN" };

function locale() {
  return `${LOCALES[language.value]}-u-ca-${calendar.value === "buddhist" ? "buddhist" : "gregory"}`;
}

/** @param {string | null} time an ISO 8601 time */
export function moment(time) {
  if (!time) return "";
  /** @type {Intl.DateTimeFormatOptions} */
  const options = { dateStyle: "medium", timeStyle: "short", timeZone: "Asia/Bangkok" };
  return new Intl.DateTimeFormat(locale(), options).format(new Date(time));
}

/** The time that was typed, in Bangkok's, as ISO 8601 has it; null for what is none. @param {string} typed */
export function fromBangkok(typed) {
  const time = new Date(`${typed}+07:00`);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

/** The day in Bangkok, as a date field has it; none of no time. @param {string | number | null} at */
export const dayInBangkok = (at) => (at ? new Date(new Date(at).getTime() + 7 * 3_600_000).toISOString().slice(0, 10) : "");

/** When a day begins in Bangkok. @param {string} day as a date field has it */
export const beginOfDay = (day) => `${day}T00:00:00+07:00`;

/** How far a time is from now, in words: "in 3 hours". @param {string} time */
export function distance(time) {
  const minutes = (new Date(time).getTime() - Date.now()) / 60_000;
  const format = new Intl.RelativeTimeFormat(LOCALES[language.value], { numeric: "auto" });
  if (Math.abs(minutes) < 90) return format.format(Math.round(minutes), "minute");
  if (Math.abs(minutes) < 60 * 48) return format.format(Math.round(minutes / 60), "hour");
  return format.format(Math.round(minutes / 60 / 24), "day");
}

/** @param {number} count */
export const number = (count) => new Intl.NumberFormat(LOCALES[language.value]).format(count);

/** @param {number | null} share */
export const percent = (share) =>
  share === null
    ? "–"
    : new Intl.NumberFormat(LOCALES[language.value], { style: "percent", maximumFractionDigits: 1 }).format(share);
