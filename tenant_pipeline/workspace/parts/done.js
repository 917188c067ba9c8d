/** A thing that is done at the server: busy while it is, told when it is done, and told why it is not. */

import { html, useState } from "../vendor/modules.js";
import { t } from "../language.js";
import { changes, tell } from "../store.js";
import { Told } from "./loaded.js";

/**
 * @param {() => Promise<any>} what a text that it gives is said of it afterwards
 * @param {string} [done] what is said of it otherwise
 * @returns {{busy: boolean, problem: any, start: () => Promise<boolean>}}
 */
export function useDone(what, done) {
  const [state, setState] = useState({ busy: false, problem: /** @type {any} */ (null) });
  return {
    ...state,
    start: async () => {
      setState({ busy: true, problem: null });
      try {
        const said = await what();
        setState({ busy: false, problem: null });
        changes.value += 1;
        tell(typeof said === "string" ? said : (done ?? t("done")));
        return true;
      } catch (problem) {
        setState({ busy: false, problem });
        return false;
      }
    },
  };
}

/** A form with a reason, for what somebody answers for.
 * @param {{legend: string, button: string, send: (form: FormData) => Promise<any>, children?: any, kind?: string, reason?: boolean, done?: string}} properties */
export function Deed({ legend, button, send, children, kind = "", reason = true, done }) {
  const [form, setForm] = useState(/** @type {HTMLFormElement | null} */ (null));
  const deed = useDone(() => send(new FormData(form ?? undefined)), done);
  return html`
    <form
      ref=${setForm}
      onSubmit=${async (event) => {
        event.preventDefault();
        if (await deed.start()) form?.reset();
      }}
    >
      <fieldset disabled=${deed.busy}>
        <legend>${legend}</legend>
        <div class="fields">${children}</div>
        ${reason && html`<label>${t("reason")}<textarea name="reason" rows="2" required maxlength="2000"></textarea></label>`}
        <${Told} problem=${deed.problem} />
        <div class="buttons"><button class=${kind}>${button}</button></div>
      </fieldset>
    </form>
  `;
}
