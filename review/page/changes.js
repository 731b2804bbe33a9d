// What changed since an earlier run: masters that are others now, verdicts that moved, findings that came and went.

function changesView(page) {
  const { catalogue } = page;
  if (!catalogue.columns.was_key)
    return [
      element("h2", {}, "Since the run before"),
      element("p", {}, "No earlier run has masters of these tracks: there is nothing to compare with."),
    ];
  const all = [];
  for (let i = 0; i < catalogue.size; i++)
    if (catalogue.columns.was_key[i] !== null && isChanged(catalogue, i)) all.push(i);
  const move = (i) => catalogue.columns.verdict[i] - catalogue.columns.was_verdict[i];
  all.sort((a, b) => move(a) - move(b) || a - b);
  const shown = all.slice(0, CHANGES_SHOWN);
  return [
    element("h2", {}, all.length ? `${count(all.length, "track")} changed` : "Nothing changed"),
    element(
      "p",
      { class: "muted" },
      `Compared with ${catalogue.compared}. A track that is not named here has the same masters, verdict and findings.`,
    ),
    element(
      "div",
      { class: "scroll" },
      tableOf(
        "Tracks that changed, the verdicts that fell first",
        ["Title", "Album", "Verdict", "Loudness", "True peak", "Gain", "Findings"],
        ["Loudness", "True peak", "Gain"],
        shown.map((i) => changeRow(catalogue, i)),
      ),
    ),
    shown.length < all.length
      ? element(
          "p",
          { class: "muted" },
          `The first ${CHANGES_SHOWN} are shown; the rest stand in the Parquet of both runs.`,
        )
      : null,
  ];
}

const CHANGES_SHOWN = 1000;

function isChanged(catalogue, i) {
  const { key, was_key, verdict, was_verdict } = catalogue.columns;
  return key[i] !== was_key[i] || verdict[i] !== was_verdict[i] || cameAndWent(catalogue, i).length > 0;
}

function changeRow(catalogue, i) {
  const moved = (name, was, digits) => {
    const [before, after] = [catalogue.value(was, i), catalogue.value(name, i)];
    return before === after ? number(after, digits) : `${number(before, digits)} → ${number(after, digits)}`;
  };
  const [was, now] = [VERDICTS[catalogue.columns.was_verdict[i]], catalogue.value("verdict", i)];
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, trackLink(catalogue, i)),
    element("td", {}, catalogue.albumName(i) ?? ""),
    element("td", {}, was === now ? tag(now) : [tag(was), " → ", tag(now)]),
    element("td", { class: "number" }, moved("lufs", "was_lufs", 1)),
    element("td", { class: "number" }, moved("peak", "was_peak", 2)),
    element("td", { class: "number" }, moved("gain_db", "was_gain_db", 1)),
    element(
      "td",
      {},
      cameAndWent(catalogue, i).join(", ") ||
        (catalogue.columns.key[i] === catalogue.columns.was_key[i] ? "" : "same findings, another master"),
    ),
  );
}

function cameAndWent(catalogue, i) {
  const now = catalogue.columns.codes[i] ?? [],
    was = catalogue.columns.was_codes[i] ?? [];
  const title = (code) => catalogue.words[catalogue.codes[code]]?.title ?? catalogue.codes[code];
  return [
    ...now.filter((code) => !was.includes(code)).map((code) => `new: ${title(code)}`),
    ...was.filter((code) => !now.includes(code)).map((code) => `gone: ${title(code)}`),
  ];
}
