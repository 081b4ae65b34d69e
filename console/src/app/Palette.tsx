// The command palette: every page, topic, subject, group, view, dashboard and pipeline by name, and the theme.
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { useEffect, useRef, useState } from "react";
import { dashboardsQuery, groupsQuery, pipelinesQuery, subjectsQuery, topicsQuery, viewsQuery } from "../api/queries";
import { PAGES } from "./pages";
import { setTheme, THEME_CHOICES, type ThemeChoice } from "./theme";

interface Entry {
  /** Unlike any other's; what a typed word must be in. */
  value: string;
  group: string;
  label: string;
  mono?: boolean;
  run: () => void;
}

const THEMES: Record<ThemeChoice, string> = { light: "Light", dark: "Dark", system: "As the system has it" };

export function Palette({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState("");
  const words = typed.toLowerCase().split(/\s+/);
  const found = useEntries(onClose)
    .filter(({ value }) => words.every((word) => value.toLowerCase().includes(word)))
    .sort((a, b) => Number(begins(b, words)) - Number(begins(a, words)));
  // Names arrive while the reader types: what Enter does is always there, and always in sight.
  const current = found.some((each) => each.value === chosen) ? chosen : (found[0]?.value ?? "");

  // A modal dialog of the platform: it keeps the focus inside and gives it back.
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    element?.querySelector("input")?.focus();
    return () => element?.close();
  }, []);

  return (
    <dialog
      ref={dialog}
      aria-label="Search"
      onClose={onClose}
      onClick={(event) => event.target === event.currentTarget && onClose()}
      className="mx-auto mt-[12vh] w-[min(36rem,calc(100vw-1.5rem))] rounded-box border border-rule-strong/60 bg-raised p-0 text-ink shadow-float backdrop:bg-[rgb(0_0_0/35%)]"
    >
      <Command
        label="Search pages, topics, schemas, groups, views, dashboards and pipelines"
        shouldFilter={false}
        value={current}
        onValueChange={setChosen}
        loop
      >
        <Command.Input
          value={typed}
          onValueChange={setTyped}
          placeholder="Go to a page, a topic, a view …"
          className="h-11 w-full border-b border-rule bg-transparent px-3.5 text-lead outline-none placeholder:text-ink-soft"
        />
        <Command.List className="max-h-[min(24rem,55vh)] overflow-y-auto p-1.5">
          {found.length === 0 && <p className="px-2 py-4 text-ink-soft">Nothing has this name.</p>}
          {[...new Set(found.map((each) => each.group))].map((group) => (
            <Command.Group
              key={group}
              heading={group}
              className="[&_[cmdk-group-heading]]:label [&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1"
            >
              {found
                .filter((each) => each.group === group)
                .map((each) => (
                  <Command.Item
                    key={each.value}
                    value={each.value}
                    onSelect={each.run}
                    className={`truncate rounded-box px-2 py-1.5 data-[selected=true]:bg-accent-wash ${each.mono ? "data" : ""}`}
                  >
                    {each.label}
                  </Command.Item>
                ))}
            </Command.Group>
          ))}
        </Command.List>
      </Command>
    </dialog>
  );
}

/** Whether each word begins a part of the name: `or` means `store.orders` rather than `store.blobs`. */
function begins({ value }: Entry, words: string[]): boolean {
  const parts = value.toLowerCase().split(/[ ._-]/);
  return words.every((word) => parts.some((part) => part.startsWith(word)));
}

function useEntries(onClose: () => void): Entry[] {
  const navigate = useNavigate();
  const subjects = useQuery(subjectsQuery()).data;
  const named: [string, string, { name: string }[]][] = [
    ["Topics", "/topics", useQuery(topicsQuery).data ?? []],
    ["Schemas", "/registry", (subjects?.subjects ?? []).map(({ subject }) => ({ name: subject }))],
    ["Groups", "/groups", (useQuery(groupsQuery).data ?? []).map(({ id }) => ({ name: id }))],
    ["Views", "/views", useQuery(viewsQuery).data ?? []],
    ["Dashboards", "/dashboards", useQuery(dashboardsQuery).data ?? []],
    ["Pipelines", "/pipelines", useQuery(pipelinesQuery).data ?? []],
  ];
  const go = (to: string) => () => {
    onClose();
    void navigate({ to });
  };
  return [
    ...PAGES.map(({ to, name }) => ({ value: `Page ${name}`, group: "Pages", label: name, run: go(to) })),
    ...named.flatMap(([group, to, all]) =>
      all.map(({ name }) => ({
        value: `${group} ${name}`,
        group,
        label: name,
        mono: true,
        run: go(`${to}/${encodeURIComponent(name)}`),
      })),
    ),
    ...THEME_CHOICES.map((choice) => ({
      value: `Theme ${choice}`,
      group: "Theme",
      label: THEMES[choice],
      run: () => {
        setTheme(choice);
        onClose();
      },
    })),
  ];
}
