// The command palette: every page, topic, view, dashboard and pipeline by name, and the theme.
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Command } from "cmdk";
import { useEffect, useRef, type ReactNode } from "react";
import { dashboardsQuery, pipelinesQuery, topicsQuery, viewsQuery } from "../api/queries";
import { PAGES } from "./pages";
import { setTheme, THEME_CHOICES } from "./theme";

export function Palette({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const dialog = useRef<HTMLDialogElement>(null);
  const topics = useQuery(topicsQuery).data ?? [];
  const views = useQuery(viewsQuery).data ?? [];
  const dashboards = useQuery(dashboardsQuery).data ?? [];
  const pipelines = useQuery(pipelinesQuery).data ?? [];

  // A modal dialog of the platform: it keeps the focus inside and gives it back.
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);

  const go = (to: string) => () => {
    onClose();
    void navigate({ to });
  };
  const named = (kind: string, to: string, names: { name: string }[]) =>
    names.length > 0 && (
      <Group heading={kind}>
        {names.map(({ name }) => (
          <Item key={name} value={`${kind} ${name}`} mono onSelect={go(`${to}/${encodeURIComponent(name)}`)}>
            {name}
          </Item>
        ))}
      </Group>
    );

  return (
    <dialog
      ref={dialog}
      aria-label="Search"
      onClose={onClose}
      onClick={(event) => event.target === event.currentTarget && onClose()}
      className="mx-auto mt-[12vh] w-[min(36rem,calc(100vw-1.5rem))] rounded-box border border-rule-strong/60 bg-raised p-0 text-ink shadow-float backdrop:bg-[rgb(0_0_0/35%)]"
    >
      <Command label="Search pages, topics, views, dashboards and pipelines" loop>
        <Command.Input
          autoFocus
          placeholder="Go to a page, a topic, a view …"
          className="h-11 w-full border-b border-rule bg-transparent px-3.5 text-lead outline-none placeholder:text-ink-soft"
        />
        <Command.List className="max-h-[min(24rem,55vh)] overflow-y-auto p-1.5">
          <Command.Empty className="px-2 py-4 text-ink-soft">Nothing has this name.</Command.Empty>
          <Group heading="Pages">
            {PAGES.map((page) => (
              <Item key={page.to} value={`Page ${page.name}`} onSelect={go(page.to)}>
                {page.name}
              </Item>
            ))}
          </Group>
          {named("Topics", "/topics", topics)}
          {named("Views", "/views", views)}
          {named("Dashboards", "/dashboards", dashboards)}
          {named("Pipelines", "/pipelines", pipelines)}
          <Group heading="Theme">
            {THEME_CHOICES.map((choice) => (
              <Item
                key={choice}
                value={`Theme ${choice}`}
                onSelect={() => {
                  setTheme(choice);
                  onClose();
                }}
              >
                {choice === "system" ? "As the system has it" : choice === "light" ? "Light" : "Dark"}
              </Item>
            ))}
          </Group>
        </Command.List>
      </Command>
    </dialog>
  );
}

function Group({ heading, children }: { heading: string; children: ReactNode }) {
  return (
    <Command.Group
      heading={heading}
      className="[&_[cmdk-group-heading]]:label [&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1"
    >
      {children}
    </Command.Group>
  );
}

interface ItemProps {
  value: string;
  mono?: boolean;
  onSelect: () => void;
  children: ReactNode;
}

function Item({ value, mono, onSelect, children }: ItemProps) {
  return (
    <Command.Item
      value={value}
      onSelect={onSelect}
      className={`truncate rounded-box px-2 py-1.5 data-[selected=true]:bg-accent-wash ${mono ? "data" : ""}`}
    >
      {children}
    </Command.Item>
  );
}
