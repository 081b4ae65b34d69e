// The name of something that a view reads, leading to it: a view, a topic, or a table, which the SQL box shows.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { topicsQuery, viewsQuery } from "~/api/queries";
import { quoted } from "../sql/names";

export function RelationLink({ name }: { name: string }) {
  const views = useQuery(viewsQuery);
  const topics = useQuery(topicsQuery);
  if (views.data?.some((view) => view.name === name)) {
    return (
      <Link to="/views/$view" params={{ view: name }} className="link data">
        {name}
      </Link>
    );
  }
  if (topics.data?.some((topic) => topic.name === name)) {
    return (
      <Link to="/topics/$topic" params={{ topic: name }} className="link data">
        {name}
      </Link>
    );
  }
  return (
    <Link to="/sql" search={{ q: `SELECT *\nFROM ${quoted(name)}\nLIMIT 100` }} className="link data">
      {name}
    </Link>
  );
}
