// What a page keeps on a device, sealed (AES-256-GCM) under a key that the door hands to a living session and to nobody else.
// The key is held by this page's memory alone. When the session ends, nobody has it any more, and what is left is wiped.
//
//   import { open, signOut, onEnd } from "/.sekisho/device.js";
//   const kept = await open();              // rejects without a living session
//   await kept.put("draft/1", "…");         // a text, bytes (Uint8Array), or what JSON can say
//   await kept.get("draft/1");              // undefined when there is none
//   await kept.names(); await kept.remove("draft/1"); await kept.clear();
//   onEnd(() => …);                         // the session has ended, here or elsewhere: show nothing any more
//   await signOut();
const KEY = "/.sekisho/device-key", DATABASE = "sekisho-device", RECORDS = "records", MARK = "mark", EVERY = 30_000;
const TEXT = 0, BYTES = 1, JSON_VALUE = 2;
const encoder = new TextEncoder(), decoder = new TextDecoder();
/** How long wiping may take before the page is told of the end, in milliseconds. */
const PATIENCE = 3000;
const listeners = new Set(), tabs = new BroadcastChannel(DATABASE);
let held = null, store = null, watch = null;

/** Why nothing can be kept or read. `reason`: `ended` (no living session) or `unreachable`. */
export class DeviceError extends Error {
  constructor(reason) {
    super(`device store: ${reason}`);
    this.name = "DeviceError";
    this.reason = reason;
  }
}

const ask = (method) => fetch(KEY, { method, cache: "no-store", credentials: "same-origin", redirect: "error" }).catch(() => null);

/** The session's keys for this host: one seals, one hides names. Neither can be taken out of the browser's custody. */
async function keys() {
  const answer = await ask("POST");
  if (answer && !answer.ok) await forget();
  if (!answer?.ok) throw new DeviceError(answer ? "ended" : "unreachable");
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const root = await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
  bytes.fill(0);
  const derive = (info, kind, uses) =>
    crypto.subtle.deriveKey({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode(info) }, root, kind, false, uses);
  return {
    seal: await derive("seal", { name: "AES-GCM", length: 256 }, ["encrypt", "decrypt"]),
    name: await derive("name", { name: "HMAC", hash: "SHA-256", length: 256 }, ["sign"]),
  };
}

const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

function database() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(RECORDS);
  return done(request);
}

function written(value) {
  if (typeof value === "string") return [TEXT, encoder.encode(value)];
  if (value instanceof Uint8Array) return [BYTES, value];
  return [JSON_VALUE, encoder.encode(JSON.stringify(value))];
}

function read(kind, bytes) {
  if (kind === BYTES) return bytes;
  const text = decoder.decode(bytes);
  return kind === TEXT ? text : JSON.parse(text);
}

class Store {
  #keys;
  #database;
  constructor(known, opened) {
    this.#keys = known;
    this.#database = opened;
    opened.onversionchange = () => opened.close();
  }
  async hidden(name) {
    return new Uint8Array(await crypto.subtle.sign("HMAC", this.#keys.name, encoder.encode(name)));
  }
  #records(mode) {
    if (store !== this) throw new DeviceError("ended");
    return this.#database.transaction(RECORDS, mode).objectStore(RECORDS);
  }
  async put(name, value) {
    const [kind, bytes] = written(value), label = encoder.encode(String(name));
    // kind, length of the name, name, value: the name is known to whoever has the key alone.
    const plain = new Uint8Array(5 + label.length + bytes.length);
    plain[0] = kind;
    new DataView(plain.buffer).setUint32(1, label.length);
    plain.set(label, 5);
    plain.set(bytes, 5 + label.length);
    const at = await this.hidden(`record ${name}`), iv = crypto.getRandomValues(new Uint8Array(12));
    const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: at }, this.#keys.seal, plain));
    await done(this.#records("readwrite").put({ iv, sealed }, at));
  }
  async #opened(at, { iv, sealed }) {
    const plain = new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: at }, this.#keys.seal, sealed));
    const start = 5 + new DataView(plain.buffer).getUint32(1);
    return { name: decoder.decode(plain.slice(5, start)), value: read(plain[0], plain.slice(start)) };
  }
  async get(name) {
    const at = await this.hidden(`record ${name}`), record = await done(this.#records("readonly").get(at));
    return record && (await this.#opened(at, record)).value;
  }
  async names() {
    const records = this.#records("readonly"), [ats, all] = await Promise.all([done(records.getAllKeys()), done(records.getAll())]);
    const known = ats.map((at, n) => [at, all[n]]).filter(([at]) => at !== MARK);
    return Promise.all(known.map(async ([at, record]) => (await this.#opened(new Uint8Array(at), record)).name));
  }
  async remove(name) {
    const at = await this.hidden(`record ${name}`);
    await done(this.#records("readwrite").delete(at));
  }
  async clear() {
    const mark = await this.hidden(MARK), records = this.#records("readwrite");
    records.clear();
    await done(records.put(mark, MARK));
  }
  /** What another session has left cannot be opened by anybody: it goes. */
  async own() {
    const mark = String(await this.hidden(MARK)), found = await done(this.#records("readonly").get(MARK));
    if (String(found) !== mark) await this.clear();
    return this;
  }
  close() {
    this.#keys = null;
    this.#database.close();
  }
}

/** The store of this host, for the session that is signed in. */
export function open() {
  if (held === null) {
    const opening = (async () => {
      const made = new Store(await keys(), await database());
      if (held !== opening) throw new DeviceError("ended");
      store = made;
      watch ??= setInterval(alive, EVERY);
      return made.own();
    })();
    held = opening;
    opening.catch(() => { if (held === opening) held = null; });
  }
  return held;
}

/** Called when the session has ended: signed out here, in another tab, or from elsewhere. */
export function onEnd(listener) {
  listeners.add(listener);
}

/**
 * Signs out. Without the door, the device forgets all the same, and the session ends by its own limits. Gives where the person
 * may go on to sign out at their identity provider, for `goOn`; null where there is nothing to go on to.
 */
export async function signOut() {
  const answer = await fetch("/.sekisho/sign-out", { method: "POST", headers: { accept: "application/json" }, redirect: "error" }).catch(() => null);
  const told = answer?.status === 200 ? await answer.json().catch(() => null) : null;
  await forget();
  return told?.onward ?? null;
}

/** Leads the person on. */
export function goOn({ to, fields }) {
  const all = Object.entries(fields);
  if (all.length === 0) return location.assign(to);
  const form = Object.assign(document.createElement("form"), { method: "post", action: to });
  for (const [name, value] of all) form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  document.body.append(form);
  form.submit();
}

async function alive() {
  if (held === null) return;
  const answer = await ask("HEAD");
  if (answer && !answer.ok) await forget();
}

/** Nothing is held any more. */
function dropped() {
  store?.close();
  held = store = null;
  clearInterval(watch);
  watch = null;
}

function tell() {
  for (const listener of listeners) listener();
}

async function forget() {
  dropped();
  tabs.postMessage("ended");
  // A browser that clears the site's data itself at that moment may leave a request without any answer.
  await Promise.race([wipe(), new Promise((over) => setTimeout(over, PATIENCE))]).finally(tell);
}

async function wipe() {
  localStorage.clear();
  sessionStorage.clear();
  const databases = (await indexedDB.databases?.()) ?? [{ name: DATABASE }];
  await Promise.all(databases.map(({ name }) => new Promise((settled) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = request.onerror = request.onblocked = settled;
  })));
  for (const name of await caches.keys()) await caches.delete(name);
  for (const worker of (await navigator.serviceWorker?.getRegistrations()) ?? []) await worker.unregister();
}

tabs.onmessage = () => { dropped(); tell(); };
addEventListener("online", alive);
document.addEventListener("visibilitychange", () => { if (!document.hidden) alive(); });
