// Puts a plot that can be zoomed and asked in the place of a drawing.
// Data: the JSON islands #plot-NAME, written by `report::plot`.
(() => {
  "use strict";
  const library = document.getElementById("plots").dataset.library;
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  let loading = null;
  const load = () => {
    loading ||= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = library;
      script.onload = () => done(window.Plotly || window.moduleName);
      script.onerror = () => { loading = null; failed(new Error(`${library} is not beside this page`)); };
      document.head.append(script);
    });
    return loading;
  };
  // plotly.js reads some tags in text; ours has none.
  const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const traces = (plot) => plot.series.map((s) => {
    const colour = s.colour === "ink" ? style("--ink") : s.colour;
    return {
      type: "scatter", name: plain(s.name), x: s.x, y: s.y, mode: s.mode, text: s.text.map(plain),
      opacity: s.opacity, marker: { color: colour, size: s.size }, line: { color: colour, width: 2 },
      hovertemplate: s.text.length ? "%{text}<extra></extra>" : "%{x:.4g}, %{y:.4g}<extra>%{fullData.name}</extra>",
    };
  });
  const layout = (plot) => {
    const axis = (title) => ({ title: { text: title }, gridcolor: style("--line"), zerolinecolor: style("--line") });
    return {
      xaxis: axis(plot.x), yaxis: { ...axis(plot.y), ...(plot.equal ? { scaleanchor: "x" } : {}) },
      paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { color: style("--soft"), size: 13 },
      margin: { l: 60, r: 10, t: 10, b: 45 }, legend: { orientation: "h", y: 1.12 }, hovermode: "closest", dragmode: "zoom",
    };
  };
  for (const button of document.querySelectorAll("button.live")) {
    const figure = button.closest("section").querySelector("figure"), svg = figure.querySelector("svg");
    const find = button.parentElement.querySelector(".find");
    const plot = JSON.parse(document.getElementById(`plot-${button.dataset.figure}`).textContent);
    let box = null;
    button.hidden = false;
    button.onclick = async () => {
      try {
        const plotly = await load();
        if (!box) {
          box = document.createElement("div");
          box.className = "plot";
          svg.after(box);
          svg.style.display = "none";
          await plotly.newPlot(box, traces(plot), layout(plot), { responsive: true, displaylogo: false, modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]] });
          button.textContent = "Back to the drawing";
          box.dataset.drawn = plot.series.length;
        } else {
          plotly.purge(box);
          box.remove();
          box = null;
          svg.style.display = "";
          button.textContent = "Zoom and hover";
        }
        if (find) find.hidden = !box;
      } catch (error) {
        button.textContent = String(error.message);
      }
    };
    if (find) {
      find.querySelector("input").oninput = async (event) => {
        const plotly = await load(), wanted = event.target.value.trim().toLowerCase();
        if (!box) return;
        const hits = { x: [], y: [], text: [] };
        for (const s of plot.series) s.text.forEach((t, i) => {
          const word = t.split(":")[0].toLowerCase();
          if (wanted && (word === wanted || (wanted.length > 2 && word.startsWith(wanted))) && hits.x.length < 30) {
            hits.x.push(s.x[i]); hits.y.push(s.y[i]); hits.text.push(plain(t.split(":")[0]));
          }
        });
        const at = plot.series.length;
        if (box.data.length > at) plotly.deleteTraces(box, at);
        if (hits.x.length) plotly.addTraces(box, {
          type: "scatter", mode: "markers+text", textposition: "top center", ...hits, showlegend: false,
          hoverinfo: "text", marker: { size: 9, color: "#d55e00" }, textfont: { color: style("--ink") },
        });
      };
    }
  }
  // A link of the form #plot-words opens that figure as a plot.
  const [, opened] = location.hash.match(/^#plot-(.+)$/) || [];
  document.querySelector(`button.live[data-figure="${CSS.escape(opened || "")}"]`)?.click();
})();
