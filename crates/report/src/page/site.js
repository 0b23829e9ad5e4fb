// The page of one site, opened by a link to #site=ID. Draws the series between two days of the record.
{
  const data = JSON.parse(document.getElementById("series-data").textContent);
  const view = document.getElementById("site");
  const drawing = document.getElementById("site-series");
  const about = drawing.getAttribute("aria-label");
  const [left, right, top, bottom] = [44, 950, 34, 270];
  const ink = {
    grid: 'class="grid" stroke="#e4e1da"', axis: 'class="axis" stroke="#8a857c"', muted: 'class="muted" fill="#6d6961" font-size="11"',
    label: 'class="label" fill="#3a3834"', observed: 'class="observed" stroke="#26241f" stroke-width="2.4" stroke-linecap="round" fill="none"',
    simulated: 'class="simulated" stroke="#0072b2" stroke-width="1.6" fill="none"', band: 'class="band" fill="#56b4e9" fill-opacity="0.4"',
    interpolated: 'class="interpolated" fill="#d9b3c9"', held: 'class="held" fill="#8a2e62"',
    validation: 'class="validation" fill="#e69f00" fill-opacity="0.13"', test: 'class="test" fill="#0072b2" fill-opacity="0.08"',
  };
  const places = new Map([...data.alphabet].map((sign, place) => [sign, place]));
  const base = data.alphabet.length / 2;
  // As compact.rs writes them.
  const numbers = (text, size) => {
    const values = [];
    let before = 0, number = 0, factor = 1, gap = false;
    for (const sign of text) {
      if (sign === data.gap) { gap = true; continue; }
      const place = places.get(sign);
      number += (place % base) * factor;
      factor *= base;
      if (place >= base) continue;
      if (gap) for (let day = 0; day < number; day += 1) values.push(null);
      else {
        before += number % 2 ? -(number + 1) / 2 : number / 2;
        values.push(before * size);
      }
      number = 0; factor = 1; gap = false;
    }
    return values;
  };
  const text = (value) => String(value).replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);
  const date = (day) => new Date(Date.parse(data.start) + 864e5 * day).toISOString().slice(0, 10);
  let site = null, from = 0, to = 0;

  const draw = () => {
    const day = (point) => site.first + point * data.step;
    const x = (at) => left + ((at - from) / (to - from)) * (right - left);
    const inside = site.observed.map((_, point) => point).filter((point) => day(point) >= from && day(point) <= to);
    const drawn = [site.observed, site.mean, site.lower, site.upper];
    const values = inside.flatMap((point) => drawn.map((series) => series[point])).filter((value) => value !== null);
    // What the axis counts in: a power of ten where all values are below 1.
    const most = Math.max(...values.map(Math.abs));
    const one = most > 0 && most < 1 ? 10 ** Math.floor(Math.log10(most)) : 1;
    const low = Math.min(0, ...values.map((value) => Math.floor(value / one)));
    const high = Math.max(low + 1, ...values.map((value) => Math.ceil(value / one)));
    const y = (value) => bottom - ((value / one - low) / (high - low)) * (bottom - top);
    const at = (point, value) => `${x(day(point)).toFixed(1)} ${y(value).toFixed(1)}`;
    const shapes = [];
    for (const [name, start, end] of site.parts) {
      const [a, b] = [Math.max(start, from), Math.min(end, to)];
      if (b <= a) continue;
      if (ink[name]) shapes.push(`<rect ${ink[name]} x="${x(a)}" y="${top}" width="${x(b) - x(a)}" height="${bottom - top}"/>`);
      shapes.push(`<text ${ink.muted} x="${x(a) + 4}" y="${top - 5}">${text(name)}</text>`);
    }
    const step = Math.max(1, Math.ceil((high - low) / 6));
    for (let tick = low; tick <= high; tick += step) {
      const row = y(tick * one);
      shapes.push(`<path ${ink.grid} d="M${left} ${row}H${right}"/><text ${ink.muted} x="${left - 6}" y="${row + 4}" text-anchor="end">${Number((tick * one).toPrecision(6))}</text>`);
    }
    for (let tick = 0; tick <= 4; tick += 1) {
      const when = Math.round(from + ((to - from) * tick) / 4);
      const anchor = ["start", "middle", "middle", "middle", "end"][tick];
      shapes.push(`<text ${ink.label} x="${x(when)}" y="${bottom + 18}" text-anchor="${anchor}">${date(when)}</text>`);
    }
    for (const name of ["interpolated", "held"]) {
      for (const [start, end] of site[name]) {
        const [a, b] = [Math.max(start, from), Math.min(end, to)];
        if (b > a) shapes.push(`<rect ${ink[name]} x="${x(a).toFixed(1)}" y="${bottom - 4}" width="${(x(b) - x(a)).toFixed(1)}" height="4"/>`);
      }
    }
    const banded = inside.filter((point) => site.lower[point] !== null && site.upper[point] !== null);
    if (banded.length > 1) {
      const upper = banded.map((point) => at(point, site.upper[point]));
      const lower = banded.reverse().map((point) => at(point, site.lower[point]));
      shapes.push(`<path ${ink.band} d="M${[...upper, ...lower].join("L")}Z"/>`);
    }
    const line = inside.filter((point) => site.mean[point] !== null).map((point) => at(point, site.mean[point]));
    if (line.length) shapes.push(`<path ${ink.simulated} d="M${line.join("L")}"/>`);
    const dots = inside.filter((point) => site.observed[point] !== null).map((point) => `M${at(point, site.observed[point])}h0`);
    shapes.push(`<path ${ink.observed} d="${dots.join("")}"/><path ${ink.axis} d="M${left} ${bottom}H${right}"/>`);
    shapes.push(`<text ${ink.muted} x="4" y="14">${text(data.unit)}</text>`, ...key());
    drawing.innerHTML = shapes.join("");
    const title = `${about} at ${site.name}, ${date(from)} to ${date(to)}`;
    drawing.setAttribute("aria-label", title);
    save("site-figure", "svg", "image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 300" font-family="sans-serif" ' +
      `font-size="12"><title>${text(title)}</title><rect width="960" height="300" fill="#fff"/>${shapes.join("")}</svg>`);
  };

  // What points, line and band are, so that a saved figure can stand alone.
  const key = () => {
    const entries = [
      ["observed", (x) => `<path ${ink.observed} d="M${x + 6} 10h0M${x + 14} 10h0"/>`],
      ["ensemble mean", (x) => `<path ${ink.simulated} d="M${x} 10h20"/>`],
      [calibrated() ? "calibrated 90 % interval" : "± one standard deviation of members", (x) => `<rect ${ink.band} x="${x}" y="5" width="20" height="10"/>`],
    ];
    let x = 130;
    return entries.map(([name, sign]) => {
      const entry = `${sign(x)}<text ${ink.muted} x="${x + 26}" y="14">${name}</text>`;
      x += 46 + 6.5 * name.length;
      return entry;
    });
  };

  // Has a link save a text as a file of the site.
  const save = (id, ending, type, content) => {
    const link = document.getElementById(id);
    link.href = `data:${type};charset=utf-8,${encodeURIComponent(content)}`;
    link.download = `${site.id}.${ending}`;
  };

  // Every day of the record, as precisely as the page has it.
  const csv = () => {
    const within = (day, ranges) => ranges.some(([start, end]) => start <= day && day < end);
    const digits = Math.max(0, Math.ceil(-Math.log10(site.size)));
    const number = (value) => (value === null || value === undefined ? "" : value.toFixed(digits));
    const band = calibrated() ? ["lower_90", "upper_90"] : ["mean_minus_sd", "mean_plus_sd"];
    const lines = [["date", "part", "observed", "mean", "sd_of_members", ...band, "inputs"].join(",")];
    site.observed.forEach((value, point) => {
      const day = site.first + point * data.step;
      const part = site.parts.find(([, start, end]) => start <= day && day < end)?.[0] ?? "";
      const inputs = within(day, site.held) ? "held" : within(day, site.interpolated) ? "interpolated" : "measured";
      const series = [value, site.mean[point], site.spread[point], site.lower[point], site.upper[point]];
      lines.push([date(day), part, ...series.map(number), inputs].join(","));
    });
    return `${lines.join("\n")}\n`;
  };

  const whole = () => [site.first, site.first + Math.max(1, site.observed.length - 1) * data.step];
  const range = (a, b) => {
    const [first, last] = whole();
    const width = Math.min(Math.max(10 * data.step, b - a), last - first);
    from = Math.round(Math.min(Math.max(first, a), last - width));
    to = Math.round(from + width);
    draw();
  };
  const named = () => {
    const [, id] = location.hash.match(/^#site=(.+)$/) ?? [];
    try { return id && data.sites.find((one) => one.id === decodeURIComponent(id)); } catch { return undefined; }
  };
  const calibrated = () => data.sites.length > 0 && data.sites[0].lower !== null;
  const open = () => {
    const found = named();
    view.hidden = !found;
    if (!found) return;
    site = { ...found };
    for (const series of ["observed", "mean", "spread"]) site[series] = numbers(found[series], found.size);
    if (calibrated()) for (const series of ["lower", "upper"]) site[series] = numbers(found[series], found.size);
    else {
      const away = (sign) => site.mean.map((mean, point) => (mean === null || site.spread[point] === null ? null : mean + sign * site.spread[point]));
      site.lower = away(-1);
      site.upper = away(1);
    }
    save("site-download", "csv", "text/csv", csv());
    document.getElementById("site-title").textContent = site.name;
    document.getElementById("site-place").textContent = site.place;
    const parts = site.parts.map(([name]) => `<th scope="col" class="number">${text(name)}</th>`).join("");
    const rows = site.scores.map(([name, values]) =>
      `<tr><th scope="row">${text(name)}</th>${values.map((value) => `<td class="number">${text(value)}</td>`).join("")}</tr>`);
    const facts = site.facts.map(([name, value]) => `<dt>${text(name)}</dt><dd>${text(value)}</dd>`);
    document.getElementById("site-scores").innerHTML =
      `<table><caption>Ensemble mean by part</caption><thead><tr><th></th>${parts}</tr></thead><tbody>${rows.join("")}</tbody></table>` +
      `<dl class="pairs">${facts.join("")}</dl>`;
    range(...whole());
    view.scrollIntoView();
  };
  const steps = {
    earlier: () => [from - (to - from) / 2, to - (to - from) / 2], later: () => [from + (to - from) / 2, to + (to - from) / 2],
    closer: () => [from + (to - from) / 4, to - (to - from) / 4], wider: () => [from - (to - from) / 2, to + (to - from) / 2],
    all: () => whole(),
  };
  for (const button of view.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => range(...steps[button.dataset.zoom]()));
  let pressed = null;
  const under = (event) => {
    const box = drawing.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * 960;
    return from + ((place - left) / (right - left)) * (to - from);
  };
  drawing.addEventListener("pointerdown", (event) => { pressed = under(event); });
  drawing.addEventListener("pointerup", (event) => {
    const [a, b] = [pressed, under(event)].sort((one, other) => one - other);
    if (pressed !== null && b - a > 5 * data.step) range(a, b);
    pressed = null;
  });
  addEventListener("hashchange", open);
  open();
}
