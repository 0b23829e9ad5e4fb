// Run by the browser test at the end of the page: measures, sorts the table of sites and says what it `found`.
const figures = [...document.querySelectorAll("figure svg.drawing")].map((svg) => svg.getBoundingClientRect());
// Words that leave their figure, and words that lie on others.
const unreadable = [];
for (const svg of document.querySelectorAll("figure svg.drawing")) {
  const sheet = svg.getBoundingClientRect();
  const name = svg.querySelector("title").id;
  const texts = [...svg.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
  texts.forEach(([text, box], place) => {
    if (box.left < sheet.left - 1 || box.right > sheet.right + 1 || box.top < sheet.top - 1 || box.bottom > sheet.bottom + 1) {
      unreadable.push(`${name}: "${text}" is cut off`);
    }
    for (const [other, there] of texts.slice(place + 1)) {
      const across = Math.min(box.right, there.right) - Math.max(box.left, there.left);
      const down = Math.min(box.bottom, there.bottom) - Math.max(box.top, there.top);
      if (across > 1 && down > 4) unreadable.push(`${name}: "${text}" lies on "${other}"`);
    }
  });
}
const table = document.querySelector("#sites table");
const column = [...table.tHead.rows[0].cells].findIndex((cell) => cell.textContent === "RMSE");
const values = () => [...table.tBodies[0].rows].map((row) => row.cells[column].dataset.sort ?? null);
table.tHead.rows[0].cells[column].querySelector("button").click();
const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
location.hash = document.querySelector("#sites tbody a").hash;
window.dispatchEvent(new HashChangeEvent("hashchange"));
const site = document.getElementById("site");
const wholeRecord = document.getElementById("site-series").getAttribute("aria-label");
site.querySelector("[data-zoom=closer]").click();
const download = document.getElementById("site-download");
const figure = document.getElementById("site-figure");
const saved = new DOMParser().parseFromString(decodeURIComponent(figure.href.split(",").slice(1).join(",")), "image/svg+xml");
const found = {
  hash: location.hash,
  downloadName: download.download,
  download: decodeURIComponent(download.href.split(",").slice(1).join(",")),
  figureName: figure.download,
  // Alone it has all that is on the page, and says what it is.
  figure: saved.documentElement.tagName === "svg" && saved.querySelectorAll("path").length === document.querySelectorAll("#site-series path").length
    ? [...saved.querySelectorAll("title, text")].map((text) => text.textContent).join(" | ") : null,
  navigation: getComputedStyle(document.querySelector("nav")).position,
  lost: [...document.querySelectorAll("nav a")].filter((link) => !document.querySelector(link.hash)).length,
  site: site.hidden ? null : document.getElementById("site-title").textContent,
  siteRows: site.querySelectorAll("tbody tr").length,
  zoomed: document.getElementById("site-series").getAttribute("aria-label") !== wholeRecord,
  siteShapes: site.querySelectorAll("path.observed, path.simulated").length,
  unreadable,
  figures: figures.filter((box) => box.width > 200 && box.height > 50).length,
  drawings: figures.length,
  headline: document.getElementById("headline-nse").value,
  shown: document.getElementById("headline-nse").textContent,
  sorted: values(),
  order: table.tHead.rows[0].cells[column].getAttribute("aria-sort"),
  ids: ids.length === new Set(ids).size,
  requests: performance.getEntriesByType("resource").length,
  overflow: document.documentElement.scrollWidth > window.innerWidth,
};
