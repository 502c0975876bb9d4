// The scatter of parts. Names from the data are only ever set as text.

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#333333"];
const SHAPES = [ // of about 10 x 10 around the origin; shapes and colours repeat out of step
  "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0", "M-3.6,-3.6H3.6V3.6H-3.6Z", "M0,-4.6L4.4,3.4H-4.4Z",
  "M0,-5L5,0L0,5L-5,0Z", "M0,4.6L4.4,-3.4H-4.4Z", "M-1.6,-4.6H1.6V-1.6H4.6V1.6H1.6V4.6H-1.6V1.6H-4.6V-1.6H-1.6Z",
  "M-4,-4L0,-1.6L4,-4L1.6,0L4,4L0,1.6L-4,4L-1.6,0Z", "M-4.6,0L3.4,-4.4V4.4Z", "M4.6,0L-3.4,-4.4V4.4Z",
  "M0,-5L1.5,-1.5L5,0L1.5,1.5L0,5L-1.5,1.5L-5,0L-1.5,-1.5Z"];

function element(name, attributes = {}, ...children) {
  const svg = name === "svg" || name === "path" || name === "text" || name === "circle";
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name)
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function words(key) { // a label in both languages
  return data.labels[key].map((text, i) => element("span", { lang: ["en", "ja"][i] }, text));
}

function look(label) {
  return { d: SHAPES[label % SHAPES.length], fill: COLOURS[label % COLOURS.length] };
}

// The scatter: one variant at a time, drawn anew when it or the width changes.
const scatter = document.getElementById("scatter");
const plane = scatter.querySelector(".plane");
const select = scatter.querySelector("select");
const tip = element("div", { class: "tip", hidden: "" });
let points = []; // [x, y] of every part, in pixels of the drawing
let drawnFor = 0; // width of the page's column

function draw() {
  const variant = data.variants[select.selectedIndex];
  const { x, y, size, explained } = data.planes[variant.network];
  drawnFor = plane.clientWidth;
  const width = Math.max(280, drawnFor), margin = 24;
  const scale = Math.min((width - 2 * margin) / size[0], Math.max(320, 0.62 * width) / size[1]);
  const height = Math.ceil(size[1] * scale) + 2 * margin + 14;
  const left = (width - size[0] * scale) / 2;
  const place = (a, b) => [left + a * scale, height - margin - 14 - b * scale];
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  points = x.map((a, i) => place(a, y[i]));
  points.forEach(([a, b], i) => {
    const wrong = variant.called[i] !== data.label[i];
    svg.append(element("path", { ...look(data.label[i]), "fill-opacity": 0.65, "data-part": i,
      transform: `translate(${a.toFixed(1)},${b.toFixed(1)})`,
      ...(wrong && { stroke: "#000", "stroke-width": 1.3 }) }));
  });
  variant.anchors.forEach((anchor, label) => {
    const [a, b] = place(...anchor);
    svg.append(element("path", { ...look(label), stroke: "#fff", "stroke-width": 0.5,
      transform: `translate(${a},${b}) scale(2.3)` }));
    svg.append(element("path", { ...look(label), stroke: "#000", "stroke-width": 0.8,
      transform: `translate(${a},${b}) scale(2)` }));
  });
  const [first, second] = explained.map((share) => `${Math.round(100 * share)} %`);
  svg.append(element("text", { x: 8, y: height - 8, "font-size": 12, fill: "#5b6470" },
    `→ PC 1: ${first}, ↑ PC 2: ${second}`));
  plane.replaceChildren(svg, tip);
  tip.hidden = true;
}

function point(event) { // shows the part nearest to the pointer
  const svg = plane.querySelector("svg"), box = svg.getBoundingClientRect();
  const zoom = svg.viewBox.baseVal.width / box.width;
  const x = (event.clientX - box.left) * zoom, y = (event.clientY - box.top) * zoom;
  let nearest = -1, least = 24 ** 2;
  points.forEach(([a, b], i) => {
    const distance = (a - x) ** 2 + (b - y) ** 2;
    if (distance < least) [nearest, least] = [i, distance];
  });
  tip.hidden = nearest < 0;
  if (nearest >= 0) describe(nearest, box.width, zoom);
}

function describe(i, width, zoom) {
  const variant = data.variants[select.selectedIndex];
  const picture = element("span", { class: "part" });
  showPart(picture, i);
  const lines = [["is_class", data.classes[data.label[i]]]];
  if (data.modes.length) lines.push(["is_mode", data.modes[data.mode[i]]]);
  lines.push(["is_called", data.classes[variant.called[i]]]);
  if (data.lots.length) lines.push(["is_lot", data.lots[data.lot[i]]]);
  lines.push(["is_origin", data.origin[i]]);
  const text = element("div", {}, ...lines.map(([key, value]) =>
    element("div", {}, ...words(key), ": ", element("b", {}, String(value)))));
  tip.replaceChildren(picture, text);
  const [x, y] = points[i].map((place) => place / zoom);
  tip.style.left = `${Math.max(0, Math.min(x + 12, width - tip.offsetWidth))}px`;
  tip.style.top = `${y > tip.offsetHeight + 12 ? y - tip.offsetHeight - 12 : y + 12}px`;
}

function legend(label) {
  const mark = element("svg", { viewBox: "-6 -6 12 12" }, element("path", look(label)));
  const count = data.label.filter((other) => other === label).length;
  return element("li", {}, mark, `${data.classes[label]} (${count})`);
}

select.append(...data.variants.map(({ name }) => element("option", {}, name)));
select.selectedIndex = Math.max(0, data.variants.findIndex(({ name }) => name === data.first));
select.addEventListener("change", draw);
scatter.querySelector(".legend").append(...data.classes.map((_, label) => legend(label)));
plane.addEventListener("pointermove", point);
plane.addEventListener("pointerdown", point);
plane.addEventListener("pointerleave", () => { tip.hidden = true; });
draw();
new ResizeObserver(() => { if (plane.clientWidth !== drawnFor) draw(); }).observe(plane);
