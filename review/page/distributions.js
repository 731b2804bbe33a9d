// Distributions of every figure; a bar that is chosen filters the table.

const DISTRIBUTED = [
  "lufs",
  "peak",
  "plr",
  "lra",
  "gain_db",
  "limiter_max_reduction_db",
  "slope",
  "width",
  "lufs_before",
  "peak_before",
];

function distributionsView(page, view) {
  const { catalogue } = page;
  const chosen = rangeOf(view.range);
  const order = selectedTracks(catalogue, { ...view, range: "" });
  const valuesOf = (name) => Array.from(order, (i) => figureOf(catalogue, name, i));
  const charts = DISTRIBUTED.filter((name) => catalogue.columns[name]).map((name) =>
    histogram(name, valuesOf(name), chosen?.name === name ? chosen : null, (range, keep) =>
      page.go({ range }, { keep }),
    ),
  );
  return [
    element("h2", {}, "How the catalogue is spread"),
    element("p", { class: "muted" }, "Choose a bar to keep only the tracks in it."),
    chips(page, view),
    chosen
      ? element(
          "p",
          {},
          element(
            "button",
            { type: "button", class: "main", onclick: () => page.go({ view: "tracks" }) },
            `Show ${count(selectedTracks(catalogue, view).length, "track")} in the table`,
          ),
        )
      : null,
    element("div", { class: "grid" }, charts),
  ];
}
