// Moving θ by hand: the meta-model runs in the page. Data: the JSON island #knob-data, written by `report::knob`.
(() => {
  "use strict";
  const root = document.getElementById("knob");
  const island = document.getElementById("knob-data");
  if (!root || !island) return;
  const data = JSON.parse(island.textContent);
  const find = (name) => root.querySelector(`[data-part=${name}]`);
  const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c8c8c"];

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
  const n = data.units, size = net.initial.length, rows = net.recurrent_bias.length;
  const p = data.middle.length, outputs = net.bias.length;
  const logistic = (x) => 1 / (1 + Math.exp(-x));
  // Gated cells whose name ends so have a rectified candidate.
  const gating = data.cell.startsWith("Vanilla") ? data.cell : data.cell.replace(/Relu$/, "");
  const candidate = gating === data.cell ? Math.tanh : (x) => Math.max(0, x);
  const affine = (matrix, x, bias, from = 0, to = bias.length) => {
    const out = new Float32Array(to - from), width = x.length;
    for (let r = from; r < to; r++) {
      let sum = bias[r];
      for (let k = 0; k < width; k++) sum += matrix[r * width + k] * x[k];
      out[r - from] = sum;
    }
    return out;
  };
  const step = (state, word, drive) => {
    const next = new Float32Array(size), h = state.subarray(0, n);
    const a = drive.map((x, r) => x + net.words[word * rows + r]);
    const w = affine(net.recurrent_weights, h, net.recurrent_bias);
    for (let i = 0; i < n; i++) {
      switch (gating) {
        case "Vanilla": next[i] = Math.tanh(a[i] + w[i]); break;
        case "VanillaRelu": next[i] = Math.max(0, a[i] + w[i]); break;
        case "Linear": next[i] = a[i] + w[i]; break;
        case "Ugrnn": {
          const u = logistic(a[i] + w[i]);
          next[i] = u * h[i] + (1 - u) * candidate(a[n + i] + w[n + i]);
          break;
        }
        case "Gru": {
          const r = logistic(a[i] + w[i]), u = logistic(a[n + i] + w[n + i]);
          next[i] = u * h[i] + (1 - u) * candidate(a[2 * n + i] + r * w[2 * n + i]);
          break;
        }
        case "Lstm": {
          const [q, f, g, o] = [0, 1, 2, 3].map((b) => a[b * n + i] + w[b * n + i]);
          const c = logistic(f) * state[n + i] + logistic(q) * candidate(g);
          next[n + i] = c;
          next[i] = logistic(o) * Math.tanh(c);
        }
      }
    }
    if (gating === "GruResetBefore") {
      const kept = h.map((x, i) => x * logistic(a[i] + w[i]));
      const c = affine(net.recurrent_weights, kept, net.recurrent_bias, 2 * n, 3 * n);
      for (let i = 0; i < n; i++) {
        const u = logistic(a[n + i] + w[n + i]);
        next[i] = u * h[i] + (1 - u) * candidate(a[2 * n + i] + c[i]);
      }
    }
    return next;
  };
  const shares = (z) => {
    const most = Math.max(...z), e = [...z].map((x) => Math.exp(x - most));
    const total = e.reduce((a, b) => a + b, 0);
    return e.map((x) => x / total);
  };
  const largest = (z) => z.indexOf(Math.max(...z));
  const place = (state) => [1, 2].map((a) => {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += net.axes[a * size + i] * (state[i] - net.axes[i]);
    return sum;
  });
  const run = (theta, tokens) => {
    const drive = new Float32Array(rows);
    for (let r = 0; r < rows; r++) {
      drive[r] = net.input_bias[r];
      for (let j = 0; j < p; j++) drive[r] += net.conditioning[r * p + j] * theta[j];
    }
    let state = net.initial;
    const points = [place(state)], said = [];
    for (const word of tokens) {
      state = step(state, word, drive);
      points.push(place(state));
      said.push(affine(net.readout, state, net.bias));
    }
    return { points, said };
  };

  // What the page says and what the program said must agree.
  const wrong = data.phrases.filter((phrase, i) => {
    const own = run(data.places[0].theta, phrase.tokens).said.at(-1);
    return own.some((x, k) => Math.abs(x - data.said[i][k]) > 0.02 * (1 + Math.abs(data.said[i][k])));
  }).length;
  root.dataset.wrong = wrong;
  find("checked").textContent = wrong
    ? `On ${wrong} of ${data.phrases.length} phrases the page's numbers differ from the program's.`
    : `The page's numbers are the program's on all ${data.phrases.length} phrases, at the place of ${data.places[0].name}.`;

  // ---- the map --------------------------------------------------------------
  let at = [...data.places[0].at];
  const theta = () => data.middle.map((m, j) => m + at[0] * data.along[0][j] + at[1] * data.along[1][j]);
  const bounds = [0, 1].map((c) => {
    const all = data.places.map((b) => b.at[c]);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const margin = 0.25 * (high - low || 1);
    return [low - margin, high + margin];
  });
  const scaled = (canvas, box) => (x, y) => [
    ((x - box[0][0]) / (box[0][1] - box[0][0])) * canvas.width,
    (1 - (y - box[1][0]) / (box[1][1] - box[1][0])) * canvas.height,
  ];
  const dot = (pen, [x, y], size, colour, ring) => {
    pen.beginPath();
    pen.arc(x, y, size, 0, 2 * Math.PI);
    pen[ring ? "strokeStyle" : "fillStyle"] = colour;
    pen[ring ? "stroke" : "fill"]();
  };
  const map = find("map"), states = find("states"), chosen = find("phrase");
  for (const canvas of [map, states]) {
    [canvas.width, canvas.height] = [340, 320];
    // Pages stretch drawings to their width; a step across is as long as one up here.
    Object.assign(canvas.style, { width: "340px", height: "320px", maxWidth: "100%" });
  }
  data.phrases.forEach((phrase, i) => {
    const words = phrase.tokens.map((w) => data.vocabulary[w]).join(" ");
    chosen.add(new Option(words.length > 70 ? `${words.slice(0, 70)}…` : words, i));
  });
  const ink = () => getComputedStyle(root).color;
  const draw = () => {
    const now = theta(), traces = data.phrases.map((phrase) => run(now, phrase.tokens));
    const pen = map.getContext("2d"), to = scaled(map, bounds);
    pen.clearRect(0, 0, map.width, map.height);
    for (const base of data.places) dot(pen, to(...base.at), 5, colours[Math.min(base.group, 6)]);
    pen.lineWidth = 2;
    dot(pen, to(...at), 9, ink(), true);

    const all = traces.flatMap((t) => t.points);
    const box = [0, 1].map((c) => {
      const own = all.map((x) => x[c]), [low, high] = [Math.min(...own), Math.max(...own)];
      return [low - 0.05 * (high - low) - 1e-6, high + 0.05 * (high - low) + 1e-6];
    });
    const draws = states.getContext("2d"), toState = scaled(states, box);
    draws.clearRect(0, 0, states.width, states.height);
    draws.globalAlpha = 0.6;
    for (const trace of traces)
      trace.points.slice(1).forEach((x, t) => dot(draws, toState(...x), 2, colours[largest(trace.said[t])]));
    draws.globalAlpha = 1;
    const one = traces[Number(chosen.value) || 0];
    draws.beginPath();
    one.points.forEach((x, t) => draws[t ? "lineTo" : "moveTo"](...toState(...x)));
    draws.strokeStyle = ink();
    draws.stroke();

    const right = data.groups.map((name, g) => {
      const hits = traces.filter((t, i) => largest(t.said.at(-1)) === data.phrases[i].labels[g]).length;
      return `${name} ${Math.round((100 * hits) / traces.length)} %`;
    });
    const near = data.places.reduce((best, b) => {
      const far = Math.hypot(b.at[0] - at[0], b.at[1] - at[1]);
      return far < best[0] ? [far, b.name] : best;
    }, [Infinity, ""])[1];
    find("told").textContent =
      `θ = (${now.map((x) => x.toFixed(2)).join(", ")}), nearest ${near}. Labels of each group given on ${traces.length} phrases: ${right.join(", ")}.`;

    const steps = find("steps"), phrase = data.phrases[Number(chosen.value) || 0];
    steps.replaceChildren();
    phrase.tokens.forEach((word, t) => {
      const span = document.createElement("span"), share = shares(one.said[t]), k = largest(share);
      span.textContent = `${data.vocabulary[word]} `;
      span.style.borderBottom = `${(1 + 4 * share[k]).toFixed(1)}px solid ${colours[k]}`;
      span.title = data.labels.map((name, i) => `${name} ${share[i].toFixed(2)}`).join(", ");
      steps.append(span, " ");
    });
    const end = document.createElement("b"), last = shares(one.said.at(-1));
    end.textContent = `→ ${data.labels[largest(last)]} (${Math.max(...last).toFixed(2)})`;
    steps.append(end);
  };
  map.addEventListener("click", (event) => {
    const box = map.getBoundingClientRect();
    const share = [(event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height];
    at = share.map((s, c) => bounds[c][0] + s * (bounds[c][1] - bounds[c][0]));
    draw();
  });
  map.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!move) return;
    event.preventDefault();
    at = at.map((x, c) => x + (move[c] * (bounds[c][1] - bounds[c][0])) / 40);
    draw();
  });
  chosen.addEventListener("change", draw);
  root.hidden = false;
  draw();
})();
