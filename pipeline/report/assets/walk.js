// Reading a document: the stored network runs in the page, word by word.
// Data: the JSON island #walk-data, written by `report::walk`.
(() => {
  "use strict";
  const root = document.getElementById("walk");
  const island = document.getElementById("walk-data");
  if (!root || !island) return;
  const data = JSON.parse(island.textContent);
  const find = (name) => root.querySelector(`[data-part=${name}]`);

  // ---- the network ----------------------------------------------------
  // Rows of 16-bit integers with a scale each; see `report::walk::Packed`.
  const unpack = ({ rows, columns, scales, numbers }) => {
    const bytes = Uint8Array.from(atob(numbers), (c) => c.charCodeAt(0));
    const whole = new Int16Array(bytes.buffer);
    const out = new Float32Array(rows * columns);
    for (let r = 0; r < rows; r++)
      for (let c = 0; c < columns; c++) out[r * columns + c] = whole[r * columns + c] * scales[r];
    return out;
  };
  const net = {};
  for (const [name, packed] of Object.entries(data.arrays)) net[name] = unpack(packed);
  const n = data.units, size = net.initial.length, gates = net.recurrent_bias.length / n;
  const outputs = net.bias.length;
  const logistic = (x) => 1 / (1 + Math.exp(-x));
  // Gated cells whose name ends so have a rectified candidate.
  const gating = data.cell.startsWith("Vanilla") ? data.cell : data.cell.replace(/Relu$/, "");
  const candidate = gating === data.cell ? Math.tanh : (x) => Math.max(0, x);

  // out[r] = bias[r] + row_r of `matrix` · x
  const affine = (matrix, x, bias, from = 0, to = bias.length) => {
    const out = new Float32Array(to - from), width = x.length;
    for (let r = from; r < to; r++) {
      let sum = bias[r];
      const at = r * width;
      for (let k = 0; k < width; k++) sum += matrix[at + k] * x[k];
      out[r - from] = sum;
    }
    return out;
  };
  const entries = new Map();
  const entry = (word) => {
    if (!entries.has(word)) {
      const row = net.words.subarray(word * data.inputs, (word + 1) * data.inputs);
      // One-hot words keep their column of the input weights as their row.
      entries.set(word, data.one_hot ? row.map((x, r) => x + net.input_bias[r])
                                     : affine(net.input_weights, row, net.input_bias));
    }
    return entries.get(word);
  };
  const step = (state, word) => {
    const a = entry(word), next = new Float32Array(size), h = state.subarray(0, n);
    const w = affine(net.recurrent_weights, h, net.recurrent_bias);
    switch (gating) {
      case "Vanilla": for (let i = 0; i < n; i++) next[i] = Math.tanh(a[i] + w[i]); break;
      case "VanillaRelu": for (let i = 0; i < n; i++) next[i] = Math.max(0, a[i] + w[i]); break;
      case "Linear": for (let i = 0; i < n; i++) next[i] = a[i] + w[i]; break;
      case "Ugrnn":
        for (let i = 0; i < n; i++) {
          const u = logistic(a[i] + w[i]);
          next[i] = u * h[i] + (1 - u) * candidate(a[n + i] + w[n + i]);
        }
        break;
      case "Gru":
        for (let i = 0; i < n; i++) {
          const r = logistic(a[i] + w[i]), u = logistic(a[n + i] + w[n + i]);
          next[i] = u * h[i] + (1 - u) * candidate(a[2 * n + i] + r * w[2 * n + i]);
        }
        break;
      case "GruResetBefore": {
        const kept = h.map((x, i) => x * logistic(a[i] + w[i]));
        const c = affine(net.recurrent_weights, kept, net.recurrent_bias, 2 * n, 3 * n);
        for (let i = 0; i < n; i++) {
          const u = logistic(a[n + i] + w[n + i]);
          next[i] = u * h[i] + (1 - u) * candidate(a[2 * n + i] + c[i]);
        }
        break;
      }
      case "Lstm":
        for (let i = 0; i < n; i++) {
          const [p, f, g, o] = [0, 1, 2, 3].map((b) => a[b * n + i] + w[b * n + i]);
          const c = logistic(f) * state[n + i] + logistic(p) * candidate(g);
          next[n + i] = c;
          next[i] = logistic(o) * Math.tanh(c);
        }
    }
    return next;
  };

  // ---- one text, word by word ------------------------------------------
  const place = (state) => [0, 1, 2].map((a) => {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += net.axes[(a + 1) * size + i] * (state[i] - net.axes[i]);
    return sum;
  });
  const read = (tokens) => {
    let state = net.initial;
    const mean = new Float32Array(size);
    const walk = { tokens, points: [place(state)], said: [], alone: [] };
    walk.said.push(affine(net.readout, state, net.bias));
    let sum = Float32Array.from(data.alone_bias);
    walk.alone.push(sum);
    tokens.forEach((word, t) => {
      state = step(state, word);
      let pooled = state;
      if (data.pool === "Mean") {
        for (let i = 0; i < size; i++) mean[i] += (state[i] - mean[i]) / (t + 1);
        pooled = mean;
      }
      walk.points.push(place(state));
      walk.said.push(affine(net.readout, pooled, net.bias));
      sum = sum.map((x, k) => x + net.alone[word * outputs + k]);
      walk.alone.push(sum);
    });
    return walk;
  };
  // Evidence for output k: against the mean of the others, where they exclude each other.
  const against = (z, k) => {
    if (data.head !== "Softmax") return z[k];
    const rest = z.reduce((a, b) => a + b, 0) - z[k];
    return z[k] - rest / (outputs - 1);
  };
  const verdict = (z) => {
    switch (data.head) {
      case "Binary": return data.labels[z[0] > 0 ? 1 : 0];
      case "MultiLabel": return data.labels.filter((_, k) => z[k] >= 0).join(" + ") || "none";
      case "Score": return z[0].toFixed(2);
      default: return data.labels[z.indexOf(Math.max(...z))];
    }
  };

  // ---- words of typed text ----------------------------------------------
  const ids = new Map(data.vocabulary.map((w, i) => [w, i]));
  const unknown = ["<unk>", "[UNK]", "<UNK>"].map((w) => ids.get(w)).find((i) => i !== undefined);
  const tokenize = (text) => {
    const missing = [], tokens = [];
    const clean = text.toLowerCase().replaceAll("’", "'");
    const words = data.spaced ? text.trim().split(/\s+/)
      : clean.match(/[\p{L}\p{N}_]+(?:'\p{L}+)*|[^\s\p{L}\p{N}_]/gu) || [];
    for (const word of words.filter((w) => w)) {
      if (ids.has(word)) { tokens.push(ids.get(word)); continue; }
      // Word pieces: greedily the longest known one.
      const pieces = [];
      for (let from = 0; data.pieces && from < word.length; ) {
        let to = word.length;
        while (to > from && !ids.has((from ? "##" : "") + word.slice(from, to))) to--;
        if (to === from) { pieces.length = 0; break; }
        pieces.push(ids.get((from ? "##" : "") + word.slice(from, to)));
        from = to;
      }
      if (pieces.length) tokens.push(...pieces);
      else { missing.push(word); if (unknown !== undefined) tokens.push(unknown); }
    }
    return { tokens, missing };
  };

  // ---- drawing ------------------------------------------------------------
  const canvas = find("canvas"), pen = canvas.getContext("2d");
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colour = (label) => data.colours[label] || "#888";
  const view = { turn: 0, tilt: 0, zoom: 1 };
  // How far the states reach sideways and upwards, however the picture is turned.
  const reach = [0, 1].map((a) => Math.max(...data.points.map((p) => Math.hypot(p[a], p[2])), 1e-9));
  // Orthographic: first turned about the vertical axis, then tilted.
  const project = ([x, y, z]) => {
    const [ct, st, cf, sf] = [Math.cos(view.turn), Math.sin(view.turn), Math.cos(view.tilt), Math.sin(view.tilt)];
    const x1 = ct * x + st * z, z1 = ct * z - st * x;
    const y1 = cf * y - sf * z1;
    const [width, height] = [canvas.clientWidth / 2, canvas.clientHeight / 2];
    const scale = 0.94 * view.zoom * Math.min(width / reach[0], height / reach[1]);
    return [width + x1 * scale, height - y1 * scale];
  };
  const dot = (p, radius, fill) => { pen.fillStyle = fill; pen.beginPath(); pen.arc(p[0], p[1], radius, 0, 7); pen.fill(); };
  let walk = null, now = 0, given = null;

  const draw = () => {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * ratio;
    canvas.height = canvas.clientHeight * ratio;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    const ink = style("--ink"), soft = style("--soft"), paper = style("--paper");
    pen.globalAlpha = 0.22;
    data.points.forEach((p) => dot(project(p), 1.8, colour(data.point_labels[p[3]])));
    pen.globalAlpha = 1;
    data.slow_points.forEach((p) => { const q = project(p); dot(q, 3.6, paper); dot(q, 2.6, ink); });
    pen.font = "13px system-ui,sans-serif";
    const origin = project([0, 0, 0]);
    const longest = Math.max(...data.readouts.map((r) => Math.hypot(...r.at)), 1e-9);
    data.readouts.forEach((r) => {
      const tip = project(r.at.map((x) => (x * 0.9 * Math.min(...reach)) / longest));
      pen.strokeStyle = pen.fillStyle = soft;
      pen.lineWidth = 1.5;
      pen.beginPath(); pen.moveTo(...origin); pen.lineTo(...tip); pen.stroke();
      pen.textAlign = tip[0] > origin[0] ? "end" : "start";
      pen.fillText(r.name, tip[0], tip[1] + (tip[1] > origin[1] ? 14 : -6));
    });
    if (!walk) return;
    const path = walk.points.slice(0, now + 1).map(project);
    pen.strokeStyle = ink;
    pen.lineWidth = 1.4;
    pen.lineJoin = "round";
    pen.beginPath();
    path.forEach((p, i) => (i ? pen.lineTo(...p) : pen.moveTo(...p)));
    pen.stroke();
    if (now) arrow(path[now - 1], path[now], lead(now).colour);
    dot(path[now], 6, paper);
    dot(path[now], 5, now ? lead(now).colour : ink);
  };
  const arrow = (from, to, fill) => {
    pen.strokeStyle = pen.fillStyle = fill;
    pen.lineWidth = 3;
    pen.beginPath(); pen.moveTo(...from); pen.lineTo(...to); pen.stroke();
    const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
    if (length < 14) return;
    const [dx, dy] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
    // The tip stands before the dot of the present state.
    const tip = [to[0] - 6 * dx, to[1] - 6 * dy];
    pen.beginPath();
    pen.moveTo(...tip);
    pen.lineTo(tip[0] - 9 * dx - 5 * dy, tip[1] - 9 * dy + 5 * dx);
    pen.lineTo(tip[0] - 9 * dx + 5 * dy, tip[1] - 9 * dy - 5 * dx);
    pen.fill();
  };

  // What word t (from 1) speaks for most, by how much, and in which colour.
  const lead = (t) => {
    const moved = [...Array(outputs).keys()].map((k) => against(walk.said[t], k) - against(walk.said[t - 1], k));
    let best = 0;
    moved.forEach((x, k) => { if (outputs > 1 && x > moved[best]) best = k; });
    const label = data.head === "Binary" ? data.labels[moved[0] > 0 ? 1 : 0] : data.outputs[best];
    return { label, by: Math.abs(moved[best]), signed: moved[best], colour: colour(label) };
  };

  const spans = [];
  const write = () => {
    const box = find("text");
    box.replaceChildren();
    spans.length = 0;
    const sizes = walk.tokens.map((_, t) => lead(t + 1).by).sort((a, b) => a - b);
    const full = Math.max(sizes[Math.floor(0.95 * (sizes.length - 1))] || 0, 1e-6);
    walk.tokens.forEach((word, t) => {
      const { label, by, signed, colour: fill } = lead(t + 1);
      const span = document.createElement("span");
      const text = data.vocabulary[word];
      span.textContent = text.replace(/^##/, "");
      const alone = net.alone.subarray(word * outputs, (word + 1) * outputs);
      const k = Math.max(0, data.outputs.indexOf(label));
      span.title = `${text}: network ${signed >= 0 ? "+" : "−"}${by.toFixed(2)} for ${data.outputs[k]}, alone ${against(alone, k).toFixed(2)}`;
      const share = Math.round(Math.min(1, by / full) * 55);
      span.style.background = `color-mix(in srgb, ${fill} ${share}%, transparent)`;
      if (data.modifiers.includes(word)) span.className = "modifier";
      span.onclick = () => go(t + 1);
      const joins = /^[.,;:!?)'’\]]/.test(text) || text.startsWith("##");
      if (t && !joins) box.append(" ");
      box.append(span);
      spans.push(span);
    });
  };

  const bars = find("bars");
  const meters = data.outputs.map((name) => {
    const row = document.createElement("div");
    row.className = "meter";
    row.innerHTML = "<span class=name></span><span class=track><i class=net></i><i class=words></i></span><span class=value></span>";
    row.querySelector(".name").textContent = name;
    bars.append(row);
    return row;
  });
  const show = () => {
    const most = Math.max(1, ...walk.said.flatMap((z) => [...z].map((_, k) => Math.abs(against(z, k)))),
      ...walk.alone.flatMap((z) => [...z].map((_, k) => Math.abs(against(z, k)))));
    meters.forEach((row, k) => {
      const values = [against(walk.said[now], k), against(walk.alone[now], k)];
      [".net", ".words"].forEach((part, i) => {
        const bar = row.querySelector(part), width = (Math.abs(values[i]) / most) * 50;
        bar.style.width = `${width}%`;
        bar.style.left = values[i] < 0 ? `${50 - width}%` : "50%";
        const name = data.head === "Binary" ? data.labels[values[i] > 0 ? 1 : 0] : data.outputs[k];
        bar.style.background = colour(name);
      });
      row.querySelector(".value").textContent = `${values[0].toFixed(2)} / ${values[1].toFixed(2)}`;
    });
    spans.forEach((s, t) => { s.dataset.state = t + 1 < now ? "read" : t + 1 === now ? "now" : "ahead"; });
    const box = find("text"), current = spans[now - 1];
    if (current) box.scrollTop = current.offsetTop - box.offsetTop - box.clientHeight / 2;
    const { label, by } = now ? lead(now) : {};
    find("said").textContent = now
      ? `“${data.vocabulary[walk.tokens[now - 1]]}” adds ${by.toFixed(2)} of evidence for ${label}. The network says ${verdict(walk.said[now])}, words alone ${verdict(walk.alone[now])}${given ? `; the label is ${given.label}` : ""}.`
      : "Before the first word.";
    find("slider").value = now;
    root.dataset.step = now;
    draw();
  };
  const go = (t) => { now = Math.max(0, Math.min(walk.tokens.length, t)); show(); };

  const load = (tokens, from) => {
    given = from;
    walk = read(tokens);
    find("slider").max = tokens.length;
    if (from && from.said) {
      const end = walk.said[tokens.length];
      root.dataset.difference = Math.max(...from.said.map((z, k) => Math.abs(z - end[k])));
    }
    write();
    go(Math.min(now, tokens.length));
  };

  // ---- controls -------------------------------------------------------------
  const choice = find("document");
  data.documents.forEach((d, i) => choice.add(new Option(`${d.label}: ${d.title}`, i)));
  choice.onchange = () => { now = 0; load(data.documents[choice.value].tokens, data.documents[choice.value]); };
  find("form").onsubmit = (event) => {
    event.preventDefault();
    const { tokens, missing } = tokenize(find("typed").value);
    find("missing").textContent = missing.length ? `Not in this page's vocabulary: ${missing.join(", ")}.` : "";
    if (tokens.length) { now = tokens.length; load(tokens, null); }
  };
  let timer = null;
  const play = () => {
    if (timer) { clearInterval(timer); timer = null; }
    else {
      if (now >= walk.tokens.length) go(0);
      timer = setInterval(() => { if (now >= walk.tokens.length) play(); else go(now + 1); }, 160);
    }
    find("play").textContent = timer ? "❚❚ Pause" : "▶ Play";
  };
  find("play").onclick = play;
  find("back").onclick = () => go(now - 1);
  find("next").onclick = () => go(now + 1);
  find("slider").oninput = (event) => go(+event.target.value);
  root.addEventListener("keydown", (event) => {
    if (event.target.matches("input[type=text],select")) return;
    const moves = { ArrowLeft: -1, ArrowRight: 1 };
    if (event.target.matches("canvas") && event.shiftKey && moves[event.key]) {
      view.turn += 0.1 * moves[event.key]; draw();
    } else if (moves[event.key]) go(now + moves[event.key]);
    else if (event.key === " " && event.target.matches("canvas")) play();
    else return;
    event.preventDefault();
  });
  let held = null;
  canvas.onpointerdown = (event) => { held = [event.clientX, event.clientY]; canvas.setPointerCapture(event.pointerId); };
  canvas.onpointermove = (event) => {
    if (!held) return;
    view.turn += (event.clientX - held[0]) / 150;
    view.tilt += (event.clientY - held[1]) / 150;
    held = [event.clientX, event.clientY];
    draw();
  };
  canvas.onpointerup = canvas.onpointercancel = () => { held = null; };
  canvas.ondblclick = () => { Object.assign(view, { turn: 0, tilt: 0, zoom: 1 }); draw(); };
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && document.activeElement !== canvas) return;
    event.preventDefault();
    view.zoom = Math.min(20, Math.max(0.3, view.zoom * Math.exp(-event.deltaY / 500)));
    draw();
  }, { passive: false });
  new ResizeObserver(draw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  // A link of the form #walk-2-10 opens the third document at its tenth word.
  const [, which, at] = location.hash.match(/^#walk-(\d+)-(\d+)$/) || [];
  const first = Math.min(which || 0, data.documents.length - 1);
  choice.value = first;
  now = at === undefined ? Infinity : +at;
  if (data.documents.length) load(data.documents[first].tokens, data.documents[first]);
  root.hidden = false;
})();
