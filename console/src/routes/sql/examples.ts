/** Queries to begin with, over what this server has. */
import { chartFor, type Column } from "~/charts/columns";
import { ident, quoted } from "./names";

export interface Example {
  title: string;
  query: string;
}

export interface Known {
  topics: readonly { name: string }[];
  views: readonly { name: string; columns: readonly Column[] }[];
}

export function examplesFor({ topics, views }: Known): Example[] {
  const examples: Example[] = [];
  const [topic] = topics;
  if (topic) {
    examples.push(
      { title: `How many events ${topic.name} has`, query: `SELECT count(*) AS events\nFROM ${quoted(topic.name)}` },
      {
        title: "Its newest events",
        query: `SELECT _time, _partition, _offset, _key\nFROM ${quoted(topic.name)}\nORDER BY _time DESC\nLIMIT 20`,
      },
    );
  }
  const ranked = views.find((view) => chartFor(view.columns)?.form === "bar");
  const chart = ranked && chartFor(ranked.columns);
  if (ranked && chart?.form === "bar") {
    examples.push({
      title: `The first of ${ranked.name}, and their share`,
      query: [
        `SELECT ${ident(chart.by)}, ${ident(chart.value)},`,
        `  round(100.0 * ${ident(chart.value)} / sum(${ident(chart.value)}) OVER (), 1) AS percent`,
        `FROM ${quoted(ranked.name)}`,
        `ORDER BY ${ident(chart.value)} DESC`,
        "LIMIT 5",
      ].join("\n"),
    });
  }
  const [view] = views.filter((each) => each !== ranked);
  if (view) examples.push({ title: `All of ${view.name}`, query: `SELECT *\nFROM ${quoted(view.name)}` });
  if (topic) {
    examples.push(
      { title: "Topics, views and tables that can be queried", query: "SHOW TABLES" },
      { title: `The columns of ${topic.name}, and where they come from`, query: `DESCRIBE ${quoted(topic.name)}` },
    );
  }
  return examples;
}
