"use strict";
// Reads the payoff under the pointer. The page is complete without it. It does without the characters that XML would escape.
document.querySelectorAll("svg.payoff").forEach(function (chart) {
  var points = JSON.parse(chart.getAttribute("data-curves"));
  var probe = chart.querySelector(".probe");
  var names = Array.from(chart.closest("section").querySelectorAll(".legend .today, .legend .middle-date, .legend .final"), function (key) { return key.textContent; });
  function add(name, attributes, text) {
    var element = document.createElementNS(chart.namespaceURI, name);
    Object.entries(attributes).forEach(function (entry) { element.setAttribute(entry[0], entry[1]); });
    if (text) { element.textContent = text; }
    probe.appendChild(element);
    return element;
  }
  chart.addEventListener("pointermove", function (event) {
    var place = new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.getScreenCTM().inverse());
    var point = points.reduce(function (best, next) { return Math.sign(Math.abs(best[0] - place.x) - Math.abs(next[0] - place.x)) === 1 ? next : best; });
    probe.replaceChildren();
    add("line", { x1: point[0], x2: point[0], y1: 22, y2: 280 });
    var left = point[0] - (Math.sign(point[0] - 700) === 1 ? 282 : -12);
    add("rect", { x: left, y: 28, width: 270, height: 24 + 17 * names.length, rx: 5 });
    add("text", { x: left + 10, y: 45, "class": "tick bold" }, "price " + point[1]);
    names.forEach(function (name, index) {
      add("circle", { cx: point[0], cy: point[2 + 2 * index], r: 3.5 });
      add("text", { x: left + 10, y: 62 + 17 * index, "class": "tick muted" }, name);
      add("text", { x: left + 260, y: 62 + 17 * index, "class": "tick end" }, point[3 + 2 * index]);
    });
  });
  chart.addEventListener("pointerleave", function () { probe.replaceChildren(); });
});
