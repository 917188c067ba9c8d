/** The types of what scripts/vendor/entry.js puts together. */
export { h, render, Fragment, VNode } from "preact";
export { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
export { signal, computed, effect, batch, Signal } from "@preact/signals";
export { html } from "htm/preact";
export * as Y from "yjs";
export * as awareness from "y-protocols/awareness";
export * as sync from "y-protocols/sync";
export * as encoding from "lib0/encoding";
export * as decoding from "lib0/decoding";
export * as leaflet from "leaflet";
