// The SQL box: one query over views, topics and tables, and its answer.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { request } from "~/api/client";
import { Problem } from "~/api/problem";
import { Button } from "~/ui/Button";
import { Page } from "~/ui/Page";
import type { Answer } from "./answer";
import { useNames } from "./completion";
import { examplesFor, type Example } from "./examples";
import type { Place } from "./place";
import { Result } from "./Result";
import type { SqlEditorHandle } from "./SqlEditor";
import "./sql.css";

const SqlEditor = lazy(() => import("./SqlEditor"));
const route = getRouteApi("/sql");
const RUN_KEYS = /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘ Enter" : "Ctrl Enter";

export function SqlPage() {
  const { q: asked } = route.useSearch();
  const navigate = route.useNavigate();
  const [text, setText] = useState(asked ?? "");
  const [run, setRun] = useState(0);
  const editor = useRef<SqlEditorHandle>(null);
  const { names, topics, views } = useNames();
  const answer = useQuery({
    queryKey: ["sql", asked, run],
    enabled: Boolean(asked),
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => request<Answer>("/api/v1/sql", { body: { query: asked ?? "" }, signal }),
  });

  // The address changed under the page: back and forward show the query that was run there.
  useEffect(() => setText(asked ?? ""), [asked]);

  const start = (query: string) => {
    if (query.trim() === "") return;
    setRun((count) => count + 1);
    if (query !== asked) void navigate({ search: { q: query }, resetScroll: false });
  };
  const error = asked === text ? errorOf(answer.error) : null;
  return (
    <Page
      title="SQL"
      summary="One SELECT over what views, topics and tables hold at this moment; SHOW TABLES and DESCRIBE say what there is."
      actions={
        <Button kind="primary" onClick={() => start(text)} disabled={text.trim() === ""}>
          Run <kbd className="data text-small opacity-90">{RUN_KEYS}</kbd>
        </Button>
      }
    >
      <div className="sql-box">
        <Suspense fallback={<div className="sql-waiting" />}>
          <SqlEditor
            ref={editor}
            value={text}
            onChange={setText}
            onRun={() => start(text)}
            names={names}
            error={error}
          />
        </Suspense>
      </div>
      {asked ? (
        <Result
          query={asked}
          answer={answer}
          place={error?.place ?? null}
          onPlace={(place) => editor.current?.goTo(place)}
        />
      ) : (
        <Examples
          examples={examplesFor({ topics: topics.filter((topic) => !topic.name.endsWith(".dead-letter")), views })}
          onPick={(query) => {
            setText(query);
            start(query);
          }}
        />
      )}
    </Page>
  );
}

/** The place of an error in the query, where the server names one. */
function errorOf(error: unknown): { place: Place; message: string } | null {
  if (!(error instanceof Problem)) return null;
  const { line, column } = error.members;
  return typeof line === "number" && typeof column === "number"
    ? { place: { line, column }, message: error.detail }
    : null;
}

function Examples({ examples, onPick }: { examples: Example[]; onPick: (query: string) => void }) {
  if (examples.length === 0) {
    return (
      <p className="mt-6 text-ink-soft">
        There is nothing to ask about yet: send an event, such as with <code className="data">factum produce</code>.
      </p>
    );
  }
  return (
    <section aria-labelledby="examples" className="mt-8">
      <h2 id="examples" className="border-t border-ink/70 pt-2.5 text-text font-semibold">
        Try one of these
      </h2>
      <ul className="mt-2 grid gap-x-10 md:grid-cols-2">
        {examples.map((example) => (
          <li key={example.title} className="border-b border-rule">
            <button type="button" className="group block w-full py-2.5 text-left" onClick={() => onPick(example.query)}>
              <span className="link">{example.title}</span>
              <span className="data mt-1 block whitespace-pre-wrap text-ink-soft">{example.query}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
