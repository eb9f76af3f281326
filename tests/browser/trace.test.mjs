// What a page of `ensue trace --html` shows, and how it answers to pointer and keys.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { many, ten, thousands } from "./events.mjs";

const ARGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

let browser;
before(async () => { browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ARGS }); });
after(() => browser?.close());

/** Opens a page, gives it to `look`, and asks that nothing went wrong on it and that it asked for nothing else. */
async function open(written, look, options = {}) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 860 }, ...options });
  const wrong = [];
  page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
  page.on("pageerror", (error) => wrong.push(error.message));
  const url = pathToFileURL(written.path).href;
  page.on("request", (request) => request.url() !== url && wrong.push(`asked for ${request.url()}`));
  const started = Date.now();
  await page.goto(url);
  await page.waitForSelector(".lane");
  const took = Date.now() - started;
  await look(page, took);
  assert.deepEqual(wrong, []);
  await page.close();
}

const count = (page, selector) => page.locator(selector).count();
const text = (page, selector) => page.locator(selector).first().innerText();

test("ten events: each run has a lane with its bar, what it took and how it ended", async () => {
  await open(ten(), async (page) => {
    assert.match(await page.title(), /paid_in_full, order_id 7/);
    assert.equal(await count(page, "circle.event"), 10);
    assert.equal(await count(page, ".lane"), 3);
    assert.equal(await count(page, ".lane .bar"), 3);
    assert.equal(await count(page, ".lane .dot"), 4);
    assert.deepEqual(await page.locator(".lane .what").allTextContents(), ["match", "ended", "timed out"]);
    for (const [mark, times] of [["match", 1], ["end", 1], ["timeout", 1]]) assert.equal(await count(page, `.lane .mark.${mark}`), times, mark);
    // The windows that were not used up are shown ahead.
    assert.equal(await count(page, ".lane .ahead"), 2);
    assert.equal(await text(page, "#counts .match dd"), "1");
    assert.equal(await count(page, "#story .moment"), 11);
    assert.match(await text(page, "#story li.match"), /run 1 is a match: create 1, pay 4/);
  });
});

test("where a bar ends is where its window ends on the axis", async () => {
  await open(ten(), async (page) => {
    const places = await page.evaluate(() => {
      const middle = (element) => { const box = element.getBoundingClientRect(); return box.left + box.width / 2; };
      const of = (event) => middle(document.querySelector(`#axis [data-event="${event}"]`));
      const timeout = middle(document.querySelector(".lane .mark.timeout circle"));
      const dots = [...document.querySelectorAll('.lane[data-run="2"] .dot')].map(middle);
      return { create: of(7), late: of(9), timeout, dot: dots[0] };
    });
    assert.ok(Math.abs(places.dot - places.create) < 1, "a dot stands under its event");
    // 15 minutes of the 16 m 40 s between the two events.
    const share = (places.timeout - places.create) / (places.late - places.create);
    assert.ok(Math.abs(share - 900 / 1000) < 0.01, `${share}`);
  });
});

test("to hover over an event shows its values and what came of it, as text", async () => {
  await open(ten(), async (page) => {
    await page.hover('#axis [data-event="2"]');
    const tip = await text(page, "#tip");
    assert.match(tip, /event 3/);
    assert.match(tip, /amount\s+5/);
    assert.match(tip, /<b>5<\/b>/, "values are text, and not part of the page");
    assert.match(tip, /amount == create\.amount is false: amount is 5, create\.amount is 20/);
    await page.hover('.lane[data-run="2"] .name');
    assert.match(await text(page, "#tip"), /run 3[\s\S]*waited for pay before 22:45:00[\s\S]*times out at 22:45:00, after 15 m/);
    await page.mouse.move(5, 5);
    assert.equal(await page.isHidden("#tip"), true);
  });
});

test("search finds a value, says how many, and goes from one to the next", async () => {
  await open(ten(), async (page) => {
    await page.keyboard.press("/");
    await page.keyboard.type("refund");
    assert.equal(await text(page, "#found"), "1 of 1 found");
    assert.match(await page.textContent(".moment.chosen mark"), /refund/i);
    assert.equal(await count(page, "circle.event.hit"), 1);
    await page.fill("#search", "pay");
    const found = Number((await text(page, "#found")).match(/of (\d+) found/)[1]);
    assert.equal(found, await count(page, ".moment.hit"));
    const first = await page.getAttribute(".moment.chosen", "data-moment");
    await page.focus("#search");
    await page.keyboard.press("Enter");
    assert.notEqual(await page.getAttribute(".moment.chosen", "data-moment"), first);
    await page.fill("#search", "no such value");
    assert.equal(await text(page, "#found"), "nothing found");
    await page.keyboard.press("Escape");
    assert.equal(await text(page, "#found"), "");
    assert.equal(await count(page, ".moment.hit"), 0);
  });
});

test("arrow keys go from event to event and from run to run", async () => {
  await open(ten(), async (page) => {
    await page.keyboard.press("Home");
    const chosen = () => page.getAttribute(".moment.chosen", "data-moment");
    assert.equal(await chosen(), "0");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    assert.equal(await chosen(), "2");
    await page.keyboard.press("ArrowLeft");
    assert.equal(await chosen(), "1");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    await page.waitForSelector('.lane.chosen[data-run="1"]');
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => !document.querySelector(".lane.chosen"));
  });
});

test("the scale is of time or of order, and can be made larger and smaller", async () => {
  await open(ten(), async (page) => {
    const gaps = () => page.evaluate(() => {
      const at = [...document.querySelectorAll("#axis circle.event")].map((dot) => Number(dot.getAttribute("cx"))).sort((a, b) => a - b);
      return at.slice(1).map((px, index) => px - at[index]);
    });
    const spread = (all) => Math.max(...all) / Math.min(...all);
    assert.ok(spread(await gaps()) > 5, "distances are times");
    await page.click("#by-order");
    await page.waitForFunction(() => document.querySelector("#by-order").ariaPressed === "true");
    await page.waitForTimeout(50);
    assert.ok(spread(await gaps()) < 2.1, "each moment is a step");
    const before = (await gaps())[0];
    await page.keyboard.press("+");
    await page.waitForTimeout(50);
    assert.ok((await gaps())[0] > before * 1.5);
    await page.keyboard.press("0");
    await page.waitForTimeout(50);
    assert.ok(Math.abs((await gaps())[0] - before) < 1);
  });
});

test("light and dark are those of the reader", async () => {
  const written = ten();
  const paper = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const papers = [];
  for (const colorScheme of ["light", "dark"]) await open(written, async (page) => papers.push(await paper(page)), { colorScheme });
  const [light, dark] = papers.map((colour) => colour.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0));
  assert.ok(light > 700 && dark < 120, papers.join(" and "));
});

test("five thousand events open at once, and only what is seen is drawn", async () => {
  for (const written of [thousands(), many()]) {
    assert.ok(written.bytes < 12_000_000, `the page has ${written.bytes} bytes`);
    await open(written, async (page, took) => {
      assert.ok(took < 3_000, `the page took ${took} ms`);
      assert.equal(await text(page, "#counts dd"), "5,000");
      const runs = Number((await page.locator("#counts dd").nth(1).innerText()).replaceAll(",", ""));
      assert.ok(runs > 400, `${runs} runs`);
      await page.keyboard.press("0");
      await page.waitForTimeout(100);
      assert.ok((await count(page, ".lane")) < 60, "lanes that are not seen are not drawn");
      assert.ok((await count(page, "svg *")) < 2_000);
      assert.equal(await page.evaluate(() => document.querySelector("#spacer").offsetHeight >= 36 * 400), true);
      assert.ok((await count(page, ".moment")) <= 801);
    });
  }
});

test("thousands of lanes scroll smoothly, to the last one", async () => {
  await open(many(), async (page) => {
    await page.keyboard.press("0");
    const slowest = await page.evaluate(async () => {
      const lanes = document.querySelector("#lanes");
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      let slowest = 0;
      for (let step = 0; step < 40; step += 1) {
        lanes.scrollTop += 400;
        const started = performance.now();
        await frame();
        await frame();
        slowest = Math.max(slowest, performance.now() - started);
      }
      lanes.scrollTop = lanes.scrollHeight;
      await frame();
      await frame();
      return slowest;
    });
    assert.ok(slowest < 250, `a frame took ${slowest} ms`);
    const runs = (await page.locator("#counts dd").nth(1).innerText()).replaceAll(",", "");
    assert.equal(await page.locator(".lane .name").last().textContent(), `run ${runs}`);
  });
});

test("the story of thousands of events is told from wherever the reader goes", async () => {
  await open(thousands(), async (page) => {
    await page.waitForFunction(() => {
      const box = document.querySelector("#story").getBoundingClientRect();
      const chosen = document.querySelector(".moment.chosen").getBoundingClientRect();
      return chosen.top >= box.top && chosen.bottom <= box.bottom;
    });
    assert.equal(await page.evaluate(() => window.scrollY), 0);
    await page.keyboard.press("End");
    assert.match(await text(page, ".moment.chosen"), /event 5000|^\d\d:/);
    await page.click(".more");
    assert.ok((await count(page, ".moment")) > 400);
    await page.fill("#search", "event 2500 ");
    assert.match(await text(page, "#found"), /1 of 1 found/);
    assert.match(await text(page, ".moment.chosen h2"), /event 2500/);
  });
});
