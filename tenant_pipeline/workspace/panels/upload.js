/** panel-upload: 13 origins × 4 modes, files and folders dropped here, sent so that they can be gone on with. */

import { html, useEffect, useRef, useState } from "../vendor/modules.js";
import { act, Problem } from "../api.js";
import { beginOfDay, dayInBangkok, number } from "../dates.js";
import { label, t } from "../language.js";
import { useDone } from "../parts/done.js";
import { Feeds } from "../parts/feeds.js";
import { Told, wordOf } from "../parts/loaded.js";
import { SharedText } from "../parts/presence.js";
import { go, labels, may, ofTenant, tell } from "../store.js";
import { filesOf, Sending } from "../uploading.js";

/** Of the six connections that a browser has to a server, so that what is shown is read meanwhile, in other windows too. */
const AT_ONCE = 2;
const MOST_SHOWN = 200;
const DRAWN_MILLISECONDS = 250;

function Choice({ kind, value, set }) {
  return html`
    <fieldset>
      <legend>${kind === "source_origins" ? t("origin") : t("unitMode")}</legend>
      <div class="choices">
        ${Object.keys(labels.value[kind]).map(
          (id) => html`<label class="inline"><input type="radio" name=${kind} value=${id} checked=${id === value} onChange=${() => set(id)} /> ${label(kind, id)}</label>`,
        )}
      </div>
    </fieldset>
  `;
}

/** How far all of them have come. A file without a byte is something to send, too. @param {{files: Sending[]}} properties */
function Sum({ files }) {
  const sent = files.filter((each) => each.state === "sent").length;
  const bytes = files.reduce((sum, each) => sum + each.file.size, 0);
  const arrived = files.reduce((sum, each) => sum + each.sent, 0);
  return html`
    <p class="quiet">${t("sentOf", { sent: number(sent), all: number(files.length) })}</p>
    <progress aria-label=${t("uploads")} max=${bytes + files.length} value=${arrived + sent}></progress>
  `;
}

/** Those of many that are drawn: the first of those that somebody may have to look at, and the first of the others.
 * @param {Sending[]} files */
function shownOf(files) {
  if (files.length <= MOST_SHOWN) return files;
  const isQuiet = ({ state }) => state === "ready" || state === "sent";
  return [
    ...files.filter((each) => !isQuiet(each)).slice(0, MOST_SHOWN),
    ...files.filter(isQuiet).slice(0, MOST_SHOWN),
  ];
}

function Files({ files, remove, busy }) {
  if (!files.length) return null;
  const shown = shownOf(files);
  return html`
    ${files.length > 1 && html`<${Sum} files=${files} />`}
    <ul class="checks">
      ${shown.map(
        (each) => html`<li key=${each.path}>
          <code>${each.path}</code> <span class="quiet">${Math.round((100 * each.sent) / Math.max(1, each.file.size))} %</span>${" "}
          ${each.state === "sending" && html`<button class="plain" onClick=${() => each.pause()}>${t("pause")}</button>`}
          ${each.state === "paused" && html`<button class="plain" onClick=${() => each.send()}>${t("resume")}</button>`}
          ${each.state !== "sending" && !(busy && each.state === "sent") && html`<button class="plain" onClick=${() => remove(each)}>${t("remove")}</button>`}
          <progress aria-label=${each.path} max=${each.file.size || 1} value=${each.state === "sent" ? each.file.size || 1 : each.sent}></progress>
          <${Told} problem=${each.problem} />
        </li>`,
      )}
    </ul>
    ${shown.length < files.length && html`<p class="quiet">${t("tooMany")}</p>`}
  `;
}

/** What would be seen in a file, before it is sent for good. @param {File} file @param {string} origin */
async function inspected(file, origin) {
  const query = new URLSearchParams({ origin, filename: file.name });
  const answer = await fetch(ofTenant(`/inspection?${query}`), { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file });
  const body = await answer.json();
  if (!answer.ok) throw new Problem(body);
  return body.objects;
}

function Inspected({ objects }) {
  return html`
    <div class="scroll"><table>
      <thead><tr><th>${t("file")}</th><th>${t("what")}</th><th>${t("problems")}</th></tr></thead>
      <tbody>
        ${objects.map(
          (each) => html`<tr>
            <td><code>${each.path}</code> <span class="quiet">${each.media_type} ${each.encoding} ${each.language}</span></td>
            <td>${each.tables.map((table) => html`<div>${table.name}: ${table.rows} × ${table.fields.length} ${table.mapping && html`<span class="badge pass">${table.mapping}</span>`}</div>`)}</td>
            <td>${each.refused ? html`<span class="fail">${each.reason}</span>` : each.problems}</td>
          </tr>`,
        )}
      </tbody>
    </table></div>
  `;
}

/** @param {{params: Record<string, string>}} properties */
export function Upload({ params }) {
  const [origin, setOrigin] = useState(params.origin ?? "partner-doc");
  const [mode, setMode] = useState("single-file");
  const [title, setTitle] = useState(params.title ?? "");
  const [rights, setRights] = useState("");
  const [observed, setObserved] = useState("");
  const [url, setUrl] = useState("");
  const [over, setOver] = useState(false);
  const [seen, setSeen] = useState(/** @type {any[] | null} */ (null));
  const [, redraw] = useState(0);
  const files = useRef(/** @type {Sending[]} */ ([]));
  const picker = useRef(/** @type {HTMLInputElement | null} */ (null));
  const folderPicker = useRef(/** @type {HTMLInputElement | null} */ (null));
  const isOpen = useRef(true);
  const drawing = useRef(0);
  useEffect(() => () => { isOpen.current = false; }, []);

  /** Something has changed of a file: of many, something does all the time. */
  const changed = () => {
    drawing.current ||= setTimeout(() => {
      drawing.current = 0;
      redraw((count) => count + 1);
    }, DRAWN_MILLISECONDS);
  };

  const take = (found) => {
    if (found.length > 1 || found[0]?.path.includes("/")) {
      if (mode === "single-file") setMode("folder");
    }
    const byPath = new Map(files.current.map((each) => [each.path, each]));
    for (const { file, path } of found) {
      const before = byPath.get(path);
      const sending = new Sending(file, path, changed);
      const isSame = before?.key === sending.key && before.state !== "refused";
      if (isSame || before?.state === "sending" || (handIn.busy && before?.state === "sent")) continue;
      if (before?.key !== sending.key) before?.giveUp();
      byPath.delete(path);
      byPath.set(path, sending);
    }
    files.current = [...byPath.values()];
    if (!title && found[0]) setTitle(found[0].path.split("/")[0]);
    redraw((count) => count + 1);
  };
  const remove = (gone) => {
    gone.giveUp();
    files.current = files.current.filter((each) => each !== gone);
    redraw((count) => count + 1);
  };
  const picked = (event) => {
    take([...event.target.files].map((file) => ({ file, path: file.webkitRelativePath || file.name })));
    event.target.value = "";
  };
  const send = async () => {
    if (mode !== "link") {
      const line = files.current.filter((each) => each.state !== "sent");
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          for (let next = line.shift(); next; next = line.shift()) if (files.current.includes(next)) await next.send();
        }),
      );
      const left = files.current.find((each) => each.state !== "sent");
      if (left) throw left.problem ?? new Problem({ title: t("pause"), status: 0, code: "paused", where: left.path });
      if (!files.current.length) throw new Problem({ title: t("dropHere"), status: 0, code: "no-files" });
    }
    const body = { origin, unit_mode: mode, title, rights, observed_at: observed ? beginOfDay(observed) : null };
    if (mode === "link") return act(ofTenant("/source/upload"), { ...body, url });
    const uploads = files.current;
    const source = await act(ofTenant("/source/upload"), { ...body, uploads: uploads.map((each) => each.id) });
    for (const each of uploads) each.done();
    return source;
  };
  const handIn = useDone(async () => {
    try {
      const source = await send();
      files.current = [];
      setSeen(null);
      if (isOpen.current) go("panel-normalise", { source: source.id });
    } catch (problem) {
      if (!isOpen.current) tell(`${title}: ${wordOf(problem)}`, "danger");
      throw problem;
    }
  }, t("sent"));
  const inspect = useDone(async () => {
    const objects = [];
    for (const each of files.current) objects.push(...(await inspected(each.file, origin)));
    setSeen(objects);
  });
  if (!may("contributor", "tenant-admin")) {
    return html`<p class="quiet">${label("tenant_roles", "contributor")} · ${label("tenant_roles", "tenant-admin")}</p>
      <${SharedText} field="upload.notes" name="notes" label=${t("notes")} rows="4" disabled />
      <${Feeds} />`;
  }
  const today = dayInBangkok(Date.now());
  const ready = title.trim() && observed <= today && (mode === "link" ? url : files.current.length);
  return html`
    <${Choice} kind="source_origins" value=${origin} set=${setOrigin} />
    <${Choice} kind="unit_modes" value=${mode} set=${setMode} />
    <div class="fields">
      <label>${t("title")}<input value=${title} maxlength="200" onInput=${(event) => setTitle(event.target.value)} /></label>
      <label>${t("rights")}<input value=${rights} maxlength="2000" onInput=${(event) => setRights(event.target.value)} />${!rights.trim() && html`<span class="help warn">${t("noRightsHelp")}</span>`}</label>
      <label>${t("observedAt")}<input type="date" value=${observed} max=${today} onInput=${(event) => setObserved(event.target.value)} />${observed > today ? html`<span class="help warn">${t("observedToCome")}</span>` : html`<span class="help">${t("observedHelp")}</span>`}</label>
      ${mode === "link" && html`<label>${t("address")}<input type="url" value=${url} maxlength="2000" onInput=${(event) => setUrl(event.target.value)} /></label>`}
    </div>
    ${mode !== "link" &&
    html`<div
        class=${over ? "drop over" : "drop"}
        onDragOver=${(event) => { event.preventDefault(); setOver(true); }}
        onDragLeave=${() => setOver(false)}
        onDrop=${async (event) => { event.preventDefault(); setOver(false); take(await filesOf(event.dataTransfer)); }}
      >
        <p>${t("dropHere")}</p>
        <div class="buttons" style=${{ justifyContent: "center" }}>
          <button class="plain" onClick=${() => picker.current?.click()}>${t("addFiles")}</button>
          <button class="plain" onClick=${() => folderPicker.current?.click()}>${t("addFolder")}</button>
        </div>
        <input ref=${picker} type="file" multiple hidden aria-label=${t("addFiles")} onChange=${picked} />
        <input ref=${folderPicker} type="file" webkitdirectory hidden aria-label=${t("addFolder")} onChange=${picked} />
      </div>
      <${Files} files=${files.current} busy=${handIn.busy} remove=${remove} />`}
    <${Told} problem=${handIn.problem ?? inspect.problem} />
    <div class="buttons">
      ${mode !== "link" && html`<button class="plain" disabled=${!files.current.length || inspect.busy} onClick=${inspect.start}>${t("inspect")}</button>`}
      <button disabled=${!ready || handIn.busy} onClick=${handIn.start}>${t("handIn")}</button>
    </div>
    ${seen && html`<${Inspected} objects=${seen} />`}
    <${SharedText} field="upload.notes" name="notes" label=${t("notes")} rows="4" />
    <${Feeds} />
  `;
}
