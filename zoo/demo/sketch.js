// A square to draw into with a mouse, a pen or a finger. Its value is the drawing as a PNG in a data URI.
const board = () => element.querySelector("canvas");
const pen = () => board().getContext("2d");
let last = null;

const clear = () => {
  pen().fillStyle = "white";
  pen().fillRect(0, 0, board().width, board().height);
};
const place = (event) => {
  const shown = board().getBoundingClientRect();
  const scale = board().width / shown.width;
  return [(event.clientX - shown.left) * scale, (event.clientY - shown.top) * scale];
};
const line = (from, to) => {
  Object.assign(pen(), { lineWidth: Number(board().dataset.brush), lineCap: "round", strokeStyle: "black" });
  pen().beginPath();
  pen().moveTo(...from);
  pen().lineTo(...to);
  pen().stroke();
};
const send = () => {
  props.value = board().toDataURL("image/png");
  trigger("input");
};

clear();
element.addEventListener("pointerdown", (event) => {
  if (event.target !== board()) return;
  event.preventDefault();
  board().setPointerCapture(event.pointerId);
  last = place(event);
  line(last, last);
});
element.addEventListener("pointermove", (event) => {
  if (last === null) return;
  const next = place(event);
  line(last, next);
  last = next;
});
for (const name of ["pointerup", "pointercancel"]) {
  element.addEventListener(name, () => {
    if (last === null) return;
    last = null;
    send();
  });
}
element.addEventListener("click", (event) => {
  if (event.target.closest(".zoo-clear")) {
    clear();
    props.value = "";
  }
  const example = event.target.closest(".gallery-item");
  if (!example) return;
  const picture = new Image();
  picture.onload = () => {
    clear();
    pen().drawImage(picture, 0, 0, board().width, board().height);
    send();
  };
  picture.src = example.querySelector("img").src;
});
