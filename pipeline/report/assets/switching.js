// Both roll-outs of a trial, step by step.
(() => {
  const trials = JSON.parse(document.getElementById("step-data").textContent);
  const [pick, at, told, svg] = ["trial", "at", "told", "drawing"].map((id) => document.getElementById("step-" + id));
  const make = (tag, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.entries(attributes).forEach(([k, v]) => node.setAttribute(k, v));
    svg.append(node);
    return node;
  };
  const scale = (values, from, to) => {
    const finite = values.filter(Number.isFinite);
    const low = Math.min(...finite), high = Math.max(...finite), wide = high - low || 1;
    return (x) => from + ((x - low) / wide) * (to - from);
  };
  const path = (points) => points.map(([x, y], i) => (i ? "L" : "M") + x.toFixed(1) + " " + y.toFixed(1)).join("");
  const draw = () => {
    const steps = trials[pick.value].steps;
    at.max = steps.length - 1;
    const t = Math.min(+at.value, steps.length - 1), here = steps[t];
    svg.replaceChildren();
    const all = steps.flatMap((s) => [s.h, s.a, s.e]);
    const x = scale(all.map((p) => p[0]), 12, 348), y = scale(all.map((p) => p[1]), 288, 12);
    const place = (p) => [x(p[0]), y(p[1])];
    const until = steps.slice(0, t + 1);
    make("path", { d: path(until.map((s) => place(s.h))), fill: "none", stroke: "#0072b2", "stroke-width": 1.5, opacity: 0.6 });
    make("path", { d: path(until.map((s) => place(s.a))), fill: "none", stroke: "#d55e00", "stroke-width": 1.5, opacity: 0.6 });
    steps.forEach((s) => make("rect", { x: x(s.e[0]) - 2, y: y(s.e[1]) - 2, width: 4, height: 4, fill: "#888", opacity: 0.35 }));
    make("circle", { cx: x(here.h[0]), cy: y(here.h[1]), r: 6, fill: "#0072b2" });
    make("circle", { cx: x(here.a[0]), cy: y(here.a[1]), r: 4, fill: "#d55e00" });
    make("rect", { x: x(here.e[0]) - 5, y: y(here.e[1]) - 5, width: 10, height: 10, fill: "none", stroke: "currentColor", "stroke-width": 2 });
    const outputs = Math.min(here.o.length, 4);
    const tall = 276 / outputs;
    for (let k = 0; k < outputs; k++) {
      const values = steps.flatMap((s) => [s.o[k], s.l[k], s.y[k]]);
      const up = scale(values, 12 + (k + 1) * tall - 8, 12 + k * tall + 8);
      const along = scale([0, Math.max(1, steps.length - 1)], 400, 748);
      const drawn = (of, stroke, width) => {
        const points = steps.map((s, i) => [along(i), of(s)]).filter((p) => Number.isFinite(p[1]));
        make("path", { d: path(points.map(([x, y]) => [x, up(y)])), fill: "none", stroke, "stroke-width": width });
      };
      drawn((s) => s.y[k], "#8c8c8c", 4);
      drawn((s) => s.o[k], "#0072b2", 2);
      drawn((s) => s.l[k], "#d55e00", 1.5);
      make("line", { x1: along(t), x2: along(t), y1: 12 + k * tall, y2: 12 + (k + 1) * tall, stroke: "currentColor", opacity: 0.4 });
    }
    const numbers = (v) => v.slice(0, 4).map((x) => x.toFixed(2)).join(", ");
    told.textContent = `${t}${here.w ? " “" + here.w + "”" : ""}: network ${numbers(here.o)}; linear system ${numbers(here.l)}`;
  };
  trials.forEach((trial, i) => pick.append(new Option(trial.name, i)));
  pick.addEventListener("change", () => ((at.value = 0), draw()));
  at.addEventListener("input", draw);
  draw();
})();
