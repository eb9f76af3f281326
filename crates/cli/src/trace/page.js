"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const { runs, stages } = data;

  // ---- what there is -------------------------------------------------------------------------------------------------

  const events = data.events.map(([time, origin, stream, text], at) => ({ at, time, origin, stream, text, moment: 0, taken: false }));
  const moments = data.moments.map(([time, event, happenings], at) => ({ at, time, event, happenings }));
  const latest = Math.max(data.latest ?? -Infinity, ...moments.slice(-1).map((moment) => moment.time ?? -Infinity));
  for (const moment of moments) {
    moment.time ??= latest;
    if (moment.event !== null) events[moment.event].moment = moment.at;
  }
  runs.forEach((run, at) => {
    run.at = at;
    run.before = run.taken.filter(([, event]) => event < run.since);
    run.took = run.taken.filter(([, event]) => event >= run.since);
    run.origin = run.taken[0][1];
    for (const [, event] of run.took) events[event].taken = true;
    run.from = events[run.since].time;
    run.until = run.end ? run.end[0] ?? latest : Math.max(latest, run.from);
    run.state = run.matched ? "match" : run.end ? run.end[1] : "open";
    const last = run.waits.at(-1);
    run.deadline = last && last[2] !== null && last[2] > run.until ? last[2] : null;
  });
  const matchesAt = moments.filter((moment) => moment.happenings.some(([tone]) => tone === "match")).map((moment) => moment.at);
  const timeoutsAt = moments.filter((moment) => moment.happenings.some(([tone]) => tone === "timeout")).map((moment) => moment.at);

  // ---- places on the line --------------------------------------------------------------------------------------------

  const LANE = 36, BAR = 23, GUTTER = 140, PAD = 18;
  const first = moments.length ? moments[0].time : 0;
  let scale = "time";
  const view = { from: 0, to: 1 };
  let chosen = null;
  let chosenRun = null;
  let hits = [];
  let words = "";

  /** Where a time is, on the scale: itself, or between the moments around it. */
  const place = (time) => {
    if (scale === "time") return time;
    let low = 0, high = moments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (moments[middle].time <= time) low = middle + 1; else high = middle;
    }
    if (low === 0) return 0;
    if (low === moments.length) return moments.length - 1 + (time > moments[low - 1].time ? 0.7 : 0);
    const before = moments[low - 1].time, behind = moments[low].time;
    return low - 1 + (behind > before ? (time - before) / (behind - before) : 0);
  };
  const placeOfMoment = (at) => (scale === "time" ? moments[at].time : at);
  const placeOfEvent = (at) => placeOfMoment(events[at].moment);
  const startOf = (run) => placeOfEvent(run.since);
  const originOf = (run) => placeOfEvent(run.origin);
  const endOf = (run) => {
    if (scale === "time") return run.until;
    if (!run.end) return moments.length - 0.4;
    const event = run.end[1] === "timeout" || run.end[1] === "over" ? null : run.took.at(-1)?.[1];
    if (run.end[1] === "match" && event !== undefined && event !== null && events[event].time === run.until) return placeOfEvent(event);
    return place(run.until);
  };

  const whole = () => {
    if (!moments.length) return [0, 1];
    const low = placeOfMoment(0);
    let high = placeOfMoment(moments.length - 1);
    // Where little has happened, the windows that are still ahead are worth their room.
    if (scale === "time" && moments.length <= 60) {
      for (const run of runs) if (run.deadline !== null && run.deadline - low < 4 * Math.max(high - low, 1)) high = Math.max(high, run.deadline);
    }
    const room = Math.max((high - low) * 0.03, scale === "time" ? (high > low ? 0 : 5e5) : 0.6);
    return [low - room, high + room];
  };
  const width = () => $("lanes").clientWidth || 800;
  const span = () => view.to - view.from;
  const x = (place) => GUTTER + PAD + ((place - view.from) / span()) * (width() - GUTTER - 2 * PAD);
  const unx = (px) => view.from + ((px - GUTTER - PAD) / (width() - GUTTER - 2 * PAD)) * span();

  const show = (from, to) => {
    const [low, high] = whole();
    const least = scale === "time" ? 1e3 : 1.5;
    const length = Math.min(Math.max(to - from, least), high - low);
    const start = Math.min(Math.max((from + to) / 2 - length / 2, low), high - length);
    view.from = start;
    view.to = start + length;
    draw();
  };
  const zoom = (factor, at = (view.from + view.to) / 2) => {
    const share = (at - view.from) / span();
    const length = span() * factor;
    show(at - share * length, at + (1 - share) * length);
  };
  const pan = (by) => show(view.from + by, view.to + by);
  /** Makes a place seen, with as little movement as can be. */
  const reveal = (place) => {
    const edge = span() * 0.08;
    if (place < view.from + edge) pan(place - edge - view.from);
    else if (place > view.to - edge) pan(place + edge - view.to);
    else draw();
  };

  // ---- words ---------------------------------------------------------------------------------------------------------

  const escape = (text) => String(text).replace(/[&<>"]/g, (char) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[char]);
  const iso = (micros) => {
    const millis = Math.floor(micros / 1000), rest = ((micros % 1000) + 1000) % 1000;
    const date = new Date(millis);
    if (Number.isNaN(date.getTime())) return ["", `${micros} µs`];
    const [day, clock] = date.toISOString().split("T");
    const fraction = rest ? clock.slice(0, -1) + String(rest).padStart(3, "0") : clock.slice(0, -1).replace(/\.000$/, "");
    return [day, fraction];
  };
  const counted = (many, what) => `${many.toLocaleString("en")} ${what}${many === 1 ? "" : "s"}`;
  const clock = (micros) => iso(micros)[1];
  const lasting = (micros) => {
    const units = [[864e8, "d"], [36e8, "h"], [6e7, "m"], [1e6, "s"], [1e3, "ms"], [1, "µs"]];
    let rest = Math.abs(Math.round(micros)), said = "";
    let count = 0;
    for (const [size, name] of units) {
      const many = Math.floor(rest / size);
      rest -= many * size;
      if (many && count < 2) { said += `${said ? " " : ""}${many} ${name}`; count += 1; }
    }
    return said || "0 s";
  };
  const object = (event) => {
    if (event.parsed === undefined) {
      try { event.parsed = JSON.parse(event.text); } catch { event.parsed = null; }
    }
    return event.parsed;
  };
  const KINDS = ["type", "kind", "event", "event_type", "name", "action", "status", "state"];
  const kind = (event) => {
    const values = object(event);
    if (values === null || typeof values !== "object") return "";
    const name = KINDS.find((name) => typeof values[name] === "string");
    return name ? values[name] : "";
  };
  const marked = (text) => {
    if (!words) return escape(text);
    const low = text.toLowerCase();
    let said = "", at = 0;
    for (let next = low.indexOf(words); next >= 0; next = low.indexOf(words, at)) {
      said += `${escape(text.slice(at, next))}<mark>${escape(text.slice(next, next + words.length))}</mark>`;
      at = next + words.length;
    }
    return said + escape(text.slice(at));
  };
  /** Text in which what stands between backticks is code. */
  const prose = (text) => text.split("`").map((part, at) => (at % 2 ? `<code>${marked(part)}</code>` : marked(part))).join("");
  const values = (event) => {
    const all = object(event);
    if (all === null || typeof all !== "object") return `<div class="values">${marked(event.text)}</div>`;
    const shown = Object.entries(all).map(([name, value]) => `<span><i>${marked(name)}</i> ${marked(typeof value === "string" ? value : JSON.stringify(value))}</span>`);
    return `<div class="values">${shown.join(" ")}</div>`;
  };
  const table = (event) => {
    const all = object(event);
    if (all === null || typeof all !== "object") return `<table><tr><td>${escape(event.text)}</td></tr></table>`;
    const rows = Object.entries(all).map(([name, value]) => `<tr><th>${escape(name)}</th><td>${escape(typeof value === "string" ? value : JSON.stringify(value))}</td></tr>`);
    return `<table>${rows.join("")}</table>`;
  };
  const STATES = { match: "match", timeout: "timed out", over: "over", end: "ended", void: "void", open: "still open" };

  // ---- the picture ---------------------------------------------------------------------------------------------------

  const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 15e6, 3e7, 6e7, 12e7, 3e8, 6e8, 9e8, 18e8, 36e8, 72e8,
    108e8, 216e8, 432e8, 864e8, 1728e8, 6048e8, 25920e8, 77760e8, 311040e8];

  const ticks = () => {
    const wide = width() - GUTTER;
    const marks = [];
    if (scale === "time") {
      const least = (span() / wide) * 92;
      const step = STEPS.find((step) => step >= least) ?? STEPS.at(-1);
      for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) marks.push([time, time, step]);
    } else {
      const step = Math.max(1, Math.ceil((span() / wide) * 92));
      const from = Math.max(0, Math.ceil(view.from / step) * step);
      for (let at = from; at <= view.to && at < moments.length; at += step) marks.push([at, moments[at].time, 0]);
    }
    return marks;
  };

  const drawAxis = () => {
    const parts = [];
    const today = moments.length ? iso(scale === "time" ? view.from : moments[Math.min(Math.max(Math.ceil(view.from), 0), moments.length - 1)].time)[0] : "";
    let day = today;
    for (const [at, time] of ticks()) {
      const px = x(at).toFixed(1);
      const [of, hour] = iso(time);
      parts.push(`<line class="tick" x1="${px}" x2="${px}" y1="34" y2="84"/>`);
      parts.push(`<text x="${px}" y="28" text-anchor="middle">${hour}</text>`);
      if (of !== day) parts.push(`<text class="day" x="${px}" y="13" text-anchor="middle">${of}</text>`);
      day = of;
    }
    const low = firstEvent(view.from), high = firstEvent(view.to, true);
    const seen = high - low;
    const found = new Set(hits);
    const sparse = seen <= 160;
    const columns = { plain: new Set(), taken: new Set(), hit: new Set() };
    const dots = { plain: [], taken: [], hit: [] };
    const labels = [];
    for (let at = low; at < high; at += 1) {
      const event = events[at];
      const px = x(placeOfEvent(at));
      const what = found.has(at) ? "hit" : event.taken ? "taken" : "plain";
      if (!sparse) { columns[what].add(Math.round(px)); continue; }
      dots[what].push(`<circle class="event ${what}" data-event="${at}" cx="${px.toFixed(1)}" cy="58" r="${event.taken ? 5 : 3.5}"/>`);
      labels.push([what === "plain", px, (kind(event) || `${at + 1}`).slice(0, 24)]);
    }
    // Where there is not room for all, those are named that a run takes.
    const named = [];
    for (const [, px, label] of labels.sort((one, other) => one[0] - other[0])) {
      const half = label.length * 3.1 + 5;
      if (named.some(([low, high]) => px - half < high && px + half > low)) continue;
      named.push([px - half, px + half]);
      parts.push(`<text x="${px.toFixed(1)}" y="79" text-anchor="middle">${escape(label)}</text>`);
    }
    parts.push(...dots.plain, ...dots.taken, ...dots.hit);
    for (const [name, pixels] of Object.entries(columns)) {
      if (!pixels.size) continue;
      const high = name === "plain" ? 50 : 44;
      parts.push(`<path class="ticks ${name}" d="${[...pixels].map((px) => `M${px + 0.5} ${high}V72`).join("")}"/>`);
    }
    parts.push(`<rect class="gutter" x="0" y="0" width="${GUTTER}" height="84"/>`);
    parts.push(`<text class="day" x="20" y="28">${today}</text>`);
    parts.push(`<text x="20" y="62">${counted(high - low, "event")}</text>`);
    parts.push(cursors(84, true));
    $("axis").innerHTML = parts.join("");
  };

  /** The first event at a place or behind it. */
  const firstEvent = (at, behind = false) => {
    let low = 0, high = events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const here = placeOfEvent(middle);
      if (behind ? here <= at : here < at) low = middle + 1; else high = middle;
    }
    return low;
  };

  const cursors = (high, labelled) => {
    if (chosen === null) return "";
    const px = x(placeOfMoment(chosen));
    if (px < GUTTER - 2) return "";
    const line = `<line class="chosen-line" x1="${px.toFixed(1)}" x2="${px.toFixed(1)}" y1="${labelled ? 34 : 0}" y2="${high}"/>`;
    return line;
  };

  let shown = [];
  const drawLanes = () => {
    const box = $("lanes"), wide = width(), high = box.clientHeight;
    shown = runs.filter((run) => originOf(run) <= view.to && Math.max(endOf(run), startOf(run)) >= view.from);
    const full = Math.max(shown.length * LANE + 8, high);
    $("spacer").style.height = `${full}px`;
    const top = Math.min(box.scrollTop, full - high);
    const low = Math.max(0, Math.floor(top / LANE) - 1), last = Math.min(shown.length, Math.ceil((top + high) / LANE) + 1);
    const parts = [];
    for (const [at] of ticks()) {
      const px = x(at).toFixed(1);
      parts.push(`<line class="grid" x1="${px}" x2="${px}" y1="0" y2="${high}"/>`);
    }
    parts.push(cursors(high));
    const lane = new Map(shown.map((run, at) => [run.at, at]));
    for (let at = low; at < last; at += 1) {
      if (shown[at].parent !== null) parts.push(fork(shown[at], at * LANE - top, lane));
    }
    for (let at = low; at < last; at += 1) parts.push(drawRun(shown[at], at * LANE - top, wide));
    if (!shown.length) {
      const why = runs.length ? "No run is open here." : "No run began.";
      parts.push(`<text x="${GUTTER + PAD}" y="28">${why}</text>`);
    }
    $("plot").style.height = `${high}px`;
    $("plot").innerHTML = parts.join("");
  };

  const clamp = (px) => Math.min(Math.max(px, GUTTER - 40), width() + 40);

  const fork = (run, top, lane) => {
    const parent = lane.get(run.parent);
    const px = x(startOf(run));
    if (parent === undefined || px < GUTTER) return "";
    const y = top + BAR, from = y - (lane.get(run.at) - parent) * LANE;
    return `<path class="fork" d="M${px.toFixed(1)} ${from.toFixed(1)}V${y}"/>`;
  };

  const drawRun = (run, top, wide) => {
    const y = top + BAR;
    const from = clamp(x(startOf(run))), to = clamp(x(endOf(run)));
    const parts = [`<g class="lane ${run.at === chosenRun ? "chosen" : ""}" data-run="${run.at}">`];
    parts.push(`<rect class="ground" x="0" y="${top}" width="${wide}" height="${LANE}"/>`);
    parts.push(`<line class="lane-line" x1="0" x2="${wide}" y1="${top + LANE - 0.5}" y2="${top + LANE - 0.5}"/>`);
    if (run.deadline !== null) {
      const ahead = clamp(x(scale === "time" ? run.deadline : Math.max(place(run.deadline), endOf(run) + 0.25)));
      parts.push(`<rect class="ahead" x="${to.toFixed(1)}" y="${y - 4}" width="${Math.max(0, ahead - to).toFixed(1)}" height="8" rx="4"/>`);
    }
    if (run.before.length) {
      // What a fork had taken with its parent.
      const origin = clamp(x(originOf(run)));
      parts.push(`<line class="past" x1="${origin.toFixed(1)}" x2="${from.toFixed(1)}" y1="${y}" y2="${y}"/>`);
      let pixel = -Infinity;
      for (const [, event] of run.before) {
        const px = x(placeOfEvent(event));
        if (px < GUTTER - 8 || px > wide + 8 || px - pixel < 3) continue;
        pixel = px;
        parts.push(`<circle class="shared" cx="${px.toFixed(1)}" cy="${y}" r="3.4"/>`);
      }
    }
    parts.push(`<rect class="bar" x="${(from - 4).toFixed(1)}" y="${y - 4}" width="${Math.max(8, to - from + 8).toFixed(1)}" height="8" rx="4"/>`);
    let pixel = -Infinity, free = -Infinity;
    const many = run.took.length > 400;
    for (const [stage, event] of run.took) {
      const px = x(placeOfEvent(event));
      if (px < GUTTER - 8 || px > wide + 8 || px - pixel < (many ? 2 : 0.5)) continue;
      pixel = px;
      parts.push(`<circle class="dot" cx="${px.toFixed(1)}" cy="${y}" r="4.6"/>`);
      const label = stages[stage];
      if (px > free && label.length * 6.2 < 120) {
        parts.push(`<text class="stage" x="${(px - 4).toFixed(1)}" y="${top + 12}">${escape(label)}</text>`);
        free = px + label.length * 6.2 + 6;
      }
    }
    parts.push(mark(run, x(endOf(run)), y, wide));
    parts.push(`<rect class="gutter" x="0" y="${top}" width="${GUTTER - 6}" height="${LANE - 1}" fill-opacity="${run.at === chosenRun ? 0 : 1}"/>`);
    parts.push(`<text class="name" x="20" y="${top + 22}">run ${run.at + 1}</text>`);
    parts.push(`<text class="what ${run.state}" x="${GUTTER - 14}" y="${top + 22}" text-anchor="end">${STATES[run.state]}</text>`);
    parts.push("</g>");
    return parts.join("");
  };

  const mark = (run, px, y, wide) => {
    if (px < GUTTER - 8 || px > wide + 8) return "";
    const at = px.toFixed(1);
    switch (run.matched ? "match" : run.kept ? "kept" : run.state) {
      case "match": return `<path class="mark match" d="M${at} ${y - 8}l8 8l-8 8l-8 -8z"/>`;
      case "kept": return `<path class="mark kept" d="M${at} ${y - 7}l7 7l-7 7l-7 -7z"/>`;
      case "timeout": return `<g class="mark timeout"><circle cx="${at}" cy="${y}" r="7"/><path d="M${at} ${y - 3.6}V${y}l2.8 1.8"/></g>`;
      case "end": return `<path class="mark end" d="M${(px - 4.5).toFixed(1)} ${y - 4.5}l9 9m0 -9l-9 9"/>`;
      case "void": case "over": return `<path class="mark void" d="M${(px - 4.5).toFixed(1)} ${y - 4.5}l9 9m0 -9l-9 9"/>`;
      default: return `<path class="mark open" d="M${(px - 1).toFixed(1)} ${y - 5}l5 5l-5 5"/>`;
    }
  };

  const drawOverview = () => {
    const wide = width();
    const [low, end] = whole();
    const at = (place) => GUTTER + PAD + ((place - low) / (end - low)) * (wide - GUTTER - 2 * PAD);
    const columns = new Map();
    for (let index = 0; index < events.length; index += 1) {
      const px = Math.round(at(placeOfEvent(index)) / 2) * 2;
      columns.set(px, (columns.get(px) ?? 0) + 1);
    }
    const most = Math.max(1, ...columns.values());
    const bars = [...columns].map(([px, count]) => {
      const tall = Math.max(3, (Math.log1p(count) / Math.log1p(most)) * 24);
      return `M${px} 34v-${tall.toFixed(1)}h2v${tall.toFixed(1)}z`;
    });
    const marks = (places) => [...new Set(places.map((moment) => Math.round(at(placeOfMoment(moment)))))].map((px) => `M${px + 0.5} 36v6`).join("");
    const from = at(view.from), to = at(view.to);
    $("overview").innerHTML =
      `<path class="density" d="${bars.join("")}"/>` +
      (timeoutsAt.length ? `<path class="o-timeout" d="${marks(timeoutsAt)}"/>` : "") +
      (matchesAt.length ? `<path class="o-match" d="${marks(matchesAt)}"/>` : "") +
      `<text x="20" y="26">all</text>` +
      `<rect class="brush" x="${from.toFixed(1)}" y="1" width="${Math.max(4, to - from).toFixed(1)}" height="42" rx="4"/>`;
    $("overview").dataset.low = low;
    $("overview").dataset.end = end;
  };

  let due = false;
  const draw = () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      drawOverview();
      drawAxis();
      drawLanes();
    });
  };

  // ---- the story -----------------------------------------------------------------------------------------------------

  const BLOCK = 400, SHOWN = 60;
  let told = [0, 0];
  const tell = (moment) => {
    const event = moment.event === null ? null : events[moment.event];
    const [, hour] = iso(moment.time);
    const heading = event
      ? `<h2>event ${event.at + 1} <time>${hour}</time><span>${escape(event.stream ? `${event.stream}, ` : "")}${marked(event.origin)}</span></h2>${values(event)}`
      : `<h2><time>${hour}</time></h2>`;
    const lines = moment.happenings.map(([tone, text]) => `<li class="${tone}">${prose(text)}</li>`).join("");
    const before = moment.at > 0 ? moments[moment.at - 1] : null;
    const day = !before || iso(before.time)[0] !== iso(moment.time)[0] ? `<div class="dayline">${iso(moment.time)[0]}</div>` : "";
    const state = `${moment.at === chosen ? " chosen" : ""}${hitMoments.has(moment.at) ? " hit" : ""}`;
    return `${day}<article class="moment${state}" data-moment="${moment.at}">${heading}${lines ? `<ul>${lines}</ul>` : ""}</article>`;
  };
  let hitMoments = new Set();
  const tellFrom = (from, to) => {
    told = [Math.max(0, from), Math.min(moments.length, to)];
    const [low, high] = told;
    const before = low > 0 ? `<button class="more" type="button" data-from="${low - BLOCK}">${low.toLocaleString("en")} earlier</button>` : "";
    const behind = high < moments.length ? `<button class="more" type="button" data-from="${low}" data-to="${high + BLOCK}">${(moments.length - high).toLocaleString("en")} later</button>` : "";
    $("story").innerHTML = before + moments.slice(low, high).map(tell).join("") + behind;
  };
  const articleOf = (at) => $("story").querySelector(`[data-moment="${at}"]`);

  /** In the story's own box alone: on a narrow screen the page must not jump. How high articles are shows only as they come to be seen. */
  const center = (article, times) => {
    const box = $("story"), here = article.getBoundingClientRect();
    box.scrollTop += here.top - box.getBoundingClientRect().top - (box.clientHeight - here.height) / 2;
    if (times > 1) requestAnimationFrame(() => center(article, times - 1));
  };

  const choose = (at, { scroll = true, move = true } = {}) => {
    if (at === null || at < 0 || at >= moments.length) return;
    articleOf(chosen)?.classList.remove("chosen");
    chosen = at;
    if (at < told[0] || at >= told[1]) tellFrom(at - BLOCK / 2, at + BLOCK / 2);
    const article = articleOf(at);
    article?.classList.add("chosen");
    if (scroll && article) center(article, 4);
    if (move) reveal(placeOfMoment(at)); else draw();
  };

  const chooseRun = (at, { move = true } = {}) => {
    const run = runs[at];
    if (!run) return;
    chosenRun = at;
    if (move) {
      const from = originOf(run), to = Math.max(endOf(run), from);
      if (from < view.from || to > view.to || (to - from) < span() / 400) {
        const room = Math.max((to - from) * 0.4, scale === "time" ? 1e6 : 3);
        show(from - room, to + room);
      }
      shown = runs.filter((run) => originOf(run) <= view.to && Math.max(endOf(run), startOf(run)) >= view.from);
      const lane = shown.indexOf(run), box = $("lanes");
      $("spacer").style.height = `${Math.max(shown.length * LANE + 8, box.clientHeight)}px`;
      if (lane * LANE < box.scrollTop || (lane + 1) * LANE > box.scrollTop + box.clientHeight) box.scrollTop = lane * LANE - box.clientHeight / 2;
    }
    draw();
  };

  // ---- search --------------------------------------------------------------------------------------------------------

  const haystack = (moment) => {
    if (moment.hay === undefined) {
      const event = moment.event === null ? "" : `event ${moment.event + 1} ${events[moment.event].text} ${events[moment.event].origin} ${events[moment.event].stream ?? ""}`;
      moment.hay = `${event} ${moment.happenings.map(([, text]) => text).join(" ")}`.toLowerCase();
    }
    return moment.hay;
  };
  let found = [];
  const search = () => {
    words = $("search").value.trim().toLowerCase();
    found = words ? moments.filter((moment) => haystack(moment).includes(words)).map((moment) => moment.at) : [];
    hitMoments = new Set(found);
    hits = found.map((at) => moments[at].event).filter((event) => event !== null);
    tellFrom(...told);
    if (found.length) choose(found.find((at) => at >= (chosen ?? 0)) ?? found[0]); else draw();
    sayFound();
  };
  const sayFound = () => {
    const many = found.length;
    const at = found.indexOf(chosen);
    const which = at >= 0 ? `<b>${(at + 1).toLocaleString("en")}</b> of ` : "";
    $("found").innerHTML = !words ? "" : many ? `${which}<b>${many.toLocaleString("en")}</b> found` : "nothing found";
  };
  const step = (by) => {
    if (!found.length) return;
    const at = found.indexOf(chosen);
    choose(found[(at + by + found.length) % found.length]);
    sayFound();
  };

  // ---- what is under the pointer --------------------------------------------------------------------------------------

  const tip = $("tip");
  const hide = () => { tip.hidden = true; };
  const say = (html, mouse) => {
    tip.innerHTML = html;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = mouse.clientX + 16 + box.width > innerWidth ? mouse.clientX - box.width - 14 : mouse.clientX + 16;
    const top = mouse.clientY + 14 + box.height > innerHeight ? mouse.clientY - box.height - 10 : mouse.clientY + 14;
    tip.style.left = `${Math.max(6, left)}px`;
    tip.style.top = `${Math.max(6, top)}px`;
  };
  const nearest = (px, among = null) => {
    const low = firstEvent(unx(px));
    const near = among ?? [low - 1, low];
    let best = null;
    for (const at of near) {
      if (at < 0 || at >= events.length) continue;
      const away = Math.abs(x(placeOfEvent(at)) - px);
      if (away < 12 && (best === null || away < best[1])) best = [at, away];
    }
    return best && best[0];
  };
  const ofEvent = (at) => {
    const event = events[at], moment = moments[event.moment];
    const told = moment.happenings.slice(0, 5).map(([tone, text]) => `<p class="${tone}">${prose(text)}</p>`).join("");
    const more = moment.happenings.length > 5 ? `<p>and ${moment.happenings.length - 5} more</p>` : "";
    return `<h3>event ${at + 1}<small>${iso(event.time).join(" ")} · ${escape(event.origin)}</small></h3>${table(event)}${told}${more}`;
  };
  const ofRun = (run) => {
    const held = run.taken.slice(0, 8).map(([stage, event]) => `<tr><th>${escape(stages[stage])}</th><td>event ${event + 1}, ${clock(events[event].time)}</td></tr>`);
    if (run.taken.length > 8) held.push(`<tr><th>…</th><td>and ${run.taken.length - 8} more</td></tr>`);
    const last = run.waits.at(-1);
    const waited = last ? `<p>${run.end ? "waited" : "waits"} for ${escape(last[1])}${last[2] === null ? "" : ` ${last[3] ? "not to come" : ""} before ${clock(last[2])}`}</p>` : "";
    const end = run.end ? `<p class="${run.state}">${run.matched ? "is a match" : prose(run.end[2])} at ${clock(run.until)}, after ${lasting(run.until - events[run.origin].time)}</p>` : "<p>is still open at the end of the input</p>";
    const parent = run.parent === null ? "" : `<small>a fork of run ${run.parent + 1}</small>`;
    return `<h3>run ${run.at + 1}${parent}</h3><table>${held.join("")}</table>${waited}${end}`;
  };
  const pointed = (mouse) => mouse.clientX - $("lanes").getBoundingClientRect().left;

  $("axis").addEventListener("mousemove", (mouse) => {
    const at = nearest(pointed(mouse));
    if (at === null) hide(); else say(ofEvent(at), mouse);
  });
  $("axis").addEventListener("mouseleave", hide);
  $("axis").addEventListener("click", (mouse) => {
    const at = nearest(pointed(mouse));
    if (at !== null && !dragged) { choose(events[at].moment); sayFound(); }
  });
  $("plot").addEventListener("mousemove", (mouse) => {
    if (dragging) return hide();
    const group = mouse.target.closest?.(".lane");
    if (!group) return hide();
    const run = runs[Number(group.dataset.run)];
    const at = nearest(pointed(mouse), run.taken.length > 2000 ? null : run.taken.map(([, event]) => event));
    say(at === null ? ofRun(run) : ofEvent(at), mouse);
  });
  $("plot").addEventListener("mouseleave", hide);
  $("plot").addEventListener("click", (mouse) => {
    const group = mouse.target.closest?.(".lane");
    if (!group || dragged) return;
    const run = runs[Number(group.dataset.run)];
    const at = nearest(pointed(mouse), run.took.map(([, event]) => event));
    chooseRun(run.at, { move: pointed(mouse) < GUTTER });
    choose(at === null ? events[run.took.at(-1)?.[1] ?? run.since].moment : events[at].moment, { move: false });
  });

  // ---- moving --------------------------------------------------------------------------------------------------------

  let dragging = null, dragged = false;
  for (const box of [$("axis"), $("lanes")]) {
    box.addEventListener("pointerdown", (mouse) => {
      if (mouse.button !== 0 || pointed(mouse) > width()) return;
      dragging = { x: mouse.clientX, from: view.from, to: view.to };
      dragged = false;
    });
    box.addEventListener("dblclick", (mouse) => zoom(0.4, unx(pointed(mouse))));
    box.addEventListener("wheel", (wheel) => {
      if (wheel.ctrlKey || wheel.metaKey) {
        wheel.preventDefault();
        zoom(Math.exp(wheel.deltaY * 0.004), unx(pointed(wheel)));
      } else if (wheel.shiftKey || Math.abs(wheel.deltaX) > Math.abs(wheel.deltaY)) {
        wheel.preventDefault();
        pan(((wheel.deltaX || wheel.deltaY) / width()) * span());
      }
    }, { passive: false });
  }
  addEventListener("pointermove", (mouse) => {
    if (!dragging) return;
    const by = mouse.clientX - dragging.x;
    if (Math.abs(by) > 3) dragged = true;
    if (dragged) {
      const moved = (by / (width() - GUTTER - 2 * PAD)) * (dragging.to - dragging.from);
      show(dragging.from - moved, dragging.to - moved);
    }
  });
  addEventListener("pointerup", () => { dragging = null; });
  const overview = $("overview");
  const jump = (mouse) => {
    const [low, end] = whole();
    const box = overview.getBoundingClientRect();
    const at = low + ((mouse.clientX - box.left - GUTTER - PAD) / (box.width - GUTTER - 2 * PAD)) * (end - low);
    show(at - span() / 2, at + span() / 2);
  };
  overview.addEventListener("pointerdown", (mouse) => { overview.setPointerCapture(mouse.pointerId); jump(mouse); });
  overview.addEventListener("pointermove", (mouse) => { if (overview.hasPointerCapture(mouse.pointerId)) jump(mouse); });

  /** The moments that are seen: the first of them, and the last. */
  const seen = () => {
    const inside = moments.filter(({ at }) => placeOfMoment(at) >= view.from && placeOfMoment(at) <= view.to);
    return inside.length ? [inside[0].at, inside.at(-1).at] : null;
  };
  const rescale = (to, range = seen()) => {
    scale = to;
    $("by-time").setAttribute("aria-pressed", String(to === "time"));
    $("by-order").setAttribute("aria-pressed", String(to === "order"));
    // What was seen stays.
    if (range === null || (range[0] === 0 && range[1] === moments.length - 1)) return show(...whole());
    const [from, until] = range.map(placeOfMoment);
    const room = scale === "time" ? (until - from) * 0.02 : 0.6;
    show(from - room, until + room);
  };
  $("by-time").addEventListener("click", () => rescale("time"));
  $("by-order").addEventListener("click", () => rescale("order"));
  $("in").addEventListener("click", () => zoom(0.5, chosen === null ? undefined : placeOfMoment(chosen)));
  $("out").addEventListener("click", () => zoom(2));
  $("fit").addEventListener("click", () => show(...whole()));
  $("lanes").addEventListener("scroll", draw);
  $("search").addEventListener("input", search);
  $("search").addEventListener("keydown", (key) => {
    if (key.key === "Enter") { key.preventDefault(); step(key.shiftKey ? -1 : 1); }
    if (key.key === "Escape") { $("search").value = ""; search(); $("search").blur(); }
  });
  $("story").addEventListener("click", (mouse) => {
    const more = mouse.target.closest(".more");
    if (more) {
      const from = Number(more.dataset.from), to = Number(more.dataset.to ?? told[1]);
      const high = $("story").scrollHeight;
      tellFrom(from, to);
      if (!more.dataset.to) $("story").scrollTop += $("story").scrollHeight - high;
      return;
    }
    const article = mouse.target.closest(".moment");
    if (!article) return;
    const at = Number(article.dataset.moment);
    const run = moments[at].happenings.flatMap(([, , runs]) => runs)[0];
    if (run !== undefined) chooseRun(run, { move: false });
    choose(at, { scroll: false });
    sayFound();
  });
  addEventListener("keydown", (key) => {
    if (key.target === $("search") || key.ctrlKey || key.metaKey || key.altKey) return;
    const steps = { ArrowLeft: -1, ArrowRight: 1 };
    const lanes = { ArrowUp: -1, ArrowDown: 1 };
    const others = {
      "/": () => $("search").focus(),
      "+": () => $("in").click(), "=": () => $("in").click(), "-": () => $("out").click(), 0: () => $("fit").click(),
      t: () => rescale(scale === "time" ? "order" : "time"),
      n: () => step(1), N: () => step(-1),
      Home: () => choose(0), End: () => choose(moments.length - 1),
      Escape: () => { chosenRun = null; articleOf(chosen)?.classList.remove("chosen"); chosen = null; hide(); draw(); },
    };
    if (key.key in steps) choose(chosen === null ? 0 : chosen + steps[key.key]);
    else if (key.key in lanes) {
      const at = shown.findIndex((run) => run.at === chosenRun);
      const next = shown[at < 0 ? 0 : at + lanes[key.key]] ?? runs[(chosenRun ?? -1) + lanes[key.key]];
      if (next) chooseRun(next.at);
    } else if (key.key in others) others[key.key]();
    else return;
    key.preventDefault();
    sayFound();
  });
  new ResizeObserver(draw).observe($("lanes"));

  // ---- begin ---------------------------------------------------------------------------------------------------------

  const [name, ...rest] = data.title.split(", ");
  $("title").innerHTML = `${escape(rest.join(", ") || name)} ${rest.length ? `<b>in ${escape(name)}</b>` : ""}`;
  $("doc").textContent = data.doc.split("\n").join(" ");
  const counts = [["events", "", data.summary.events], ["runs", "", data.summary.runs], ["matches", "match", data.summary.matches], ["timeouts", "timeout", data.summary.timeouts]];
  if (data.summary.late) counts.push(["too late", "timeout", data.summary.late]);
  $("counts").innerHTML = counts.map(([what, tone, count]) => `<div class="${tone} ${count ? "" : "none"}"><dt>${what}</dt><dd>${count.toLocaleString("en")}</dd></div>`).join("");
  $("forked").hidden = !runs.some((run) => run.parent !== null);
  const defects = data.defects.length ? [`Defect of Ensue: this is not what the engine gives. ${data.defects.join("; ")}`] : [];
  $("notes").innerHTML = defects.map((text) => `<p class="defect">${escape(text)}</p>`).join("") + data.notes.map((text) => `<p>${prose(text)}</p>`).join("");

  // Where most of the time nothing happens, a step for each event shows more than its distance in time.
  const columns = new Set(events.map((event) => Math.round(((event.time - first) / Math.max(latest - first, 1)) * 900)));
  const crowded = events.length > 3 && columns.size < Math.min(events.length, 400) * 0.45;
  tellFrom(0, BLOCK);
  rescale(crowded ? "order" : "time", null);
  const telling = moments.findIndex((moment) => moment.happenings.some(([tone]) => tone === "match" || tone === "timeout"));
  // Of a long story a page opens on the first outcome, with what led to it: the strip above shows the whole.
  if (moments.length > SHOWN) {
    const middle = Math.min(Math.max(telling, SHOWN / 2), moments.length - SHOWN / 2);
    show(placeOfMoment(Math.floor(middle - SHOWN / 2)), placeOfMoment(Math.floor(middle + SHOWN / 2) - 1));
  }
  if (telling >= 0) choose(telling, { move: false });
})();
