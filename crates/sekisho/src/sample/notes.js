// The sample's notes: a draft, contacts and a thumbnail that stay on this device, sealed by the door's module.
import { goOn, onEnd, open, signOut } from "/.sekisho/device.js";

const find = (id) => document.getElementById(id);
const draft = find("draft"), contacts = find("contacts"), picture = find("picture"), state = find("state");

function show(names) {
  contacts.replaceChildren(...names.map((name) => Object.assign(document.createElement("li"), { textContent: name })));
}
function shown(bytes) {
  if (!bytes) return;
  picture.src = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
  picture.hidden = false;
}
/** A picture is kept small: 96 pixels wide. */
async function thumbnail(file) {
  const whole = await createImageBitmap(file), canvas = new OffscreenCanvas(96, Math.max(1, Math.round((96 * whole.height) / whole.width)));
  canvas.getContext("2d").drawImage(whole, 0, 0, canvas.width, canvas.height);
  return new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
}

onEnd(() => location.replace("/"));
const kept = await open();
draft.value = (await kept.get("draft")) ?? "";
let known = (await kept.get("contacts")) ?? [];
show(known);
shown(await kept.get("thumbnail"));
state.hidden = false;

draft.addEventListener("input", () => kept.put("draft", draft.value));
find("add").addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = event.target.elements.name;
  known = [...known, name.value];
  await kept.put("contacts", known);
  name.value = "";
  show(known);
});
find("file").addEventListener("change", async (event) => {
  const bytes = await thumbnail(event.target.files[0]);
  await kept.put("thumbnail", bytes);
  shown(bytes);
});
find("out").addEventListener("click", async () => {
  const onward = await signOut();
  if (onward) goOn(onward);
});
