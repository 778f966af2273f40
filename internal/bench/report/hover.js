"use strict";
for (const figure of document.querySelectorAll("figure[data-hover]")) {
  const places = JSON.parse(figure.dataset.hover || "[]") || [];
  const svg = figure.querySelector("svg"), cross = svg.querySelector(".cross"), tip = figure.querySelector(".tip");
  if (!places.length) continue;
  const show = (event) => {
    const box = svg.getBoundingClientRect(), zoom = box.width / svg.viewBox.baseVal.width;
    const x = (event.clientX - box.left) / zoom;
    const place = places.reduce((a, b) => Math.abs(b.x - x) < Math.abs(a.x - x) ? b : a);
    cross.setAttribute("x1", place.x);
    cross.setAttribute("x2", place.x);
    const title = document.createElement("b");
    title.textContent = place.t;
    tip.replaceChildren(title, ...place.r.map(([kind, name, value]) => {
      const row = document.createElement("div"), left = document.createElement("span"), right = document.createElement("span");
      const key = document.createElement("span"), label = document.createElement("span");
      key.className = "key"; left.className = kind; label.className = "name";
      label.textContent = name; right.textContent = value;
      left.append(key, label); row.append(left, right);
      return row;
    }));
    const frame = figure.getBoundingClientRect(), at = box.left - frame.left + place.x * zoom;
    const before = at + tip.offsetWidth + 24 > frame.width;
    tip.style.left = (before ? at - tip.offsetWidth - 12 : at + 12) + "px";
    tip.style.top = (box.top - frame.top + 14) + "px";
    cross.style.visibility = tip.style.visibility = "visible";
  };
  svg.addEventListener("pointermove", show);
  svg.addEventListener("pointerdown", show);
  svg.addEventListener("pointerleave", () => { cross.style.visibility = tip.style.visibility = "hidden"; });
}
