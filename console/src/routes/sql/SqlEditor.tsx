/**
 * The editor of the SQL box: CodeMirror with the names of this server, and the place of an error marked in the text.
 *
 * Invariants: Tab leaves the editor, as everywhere on the page; completion is taken with Enter, asked for with
 * Ctrl-Space, and the query is run with Ctrl-Enter or ⌘-Enter.
 */
import {
  acceptCompletion,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  startCompletion,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { PostgreSQL, sql, type SQLNamespace } from "@codemirror/lang-sql";
import { bracketMatching, HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { setDiagnostics } from "@codemirror/lint";
import { Compartment, EditorState, Prec } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useImperativeHandle, useRef, type Ref } from "react";
import { placeOf, type Place } from "./place";

export interface SqlEditorHandle {
  /** Puts the cursor at a place and the keyboard into the editor. */
  goTo: (place: Place) => void;
}

export interface SqlEditorProps {
  value: string;
  onChange: (text: string) => void;
  onRun: () => void;
  /** Names to complete. */
  names: SQLNamespace;
  /** What is wrong, and where. */
  error: { place: Place; message: string } | null;
  ref?: Ref<SqlEditorHandle>;
}

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.bool, tags.null], color: "var(--accent)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--series-2)" },
  { tag: tags.number, color: "var(--series-3)" },
  { tag: [tags.typeName, tags.standard(tags.name)], color: "var(--series-5)" },
  { tag: [tags.comment, tags.lineComment, tags.blockComment], color: "var(--ink-soft)", fontStyle: "italic" },
]);

const look = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "transparent", fontSize: "var(--size-data)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": {
    fontFamily: "var(--font-mono)",
    lineHeight: "1.6",
    minHeight: "9rem",
    maxHeight: "45vh",
    padding: "0.6rem 0",
    boxSizing: "border-box",
  },
  ".cm-content": { caretColor: "var(--ink)", padding: "0" },
  ".cm-cursor": { borderLeftColor: "var(--ink)", borderLeftWidth: "1.5px" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--ink-soft)", border: "none", paddingLeft: "0.25rem" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLineGutter": { color: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "color-mix(in srgb, var(--accent) 22%, transparent)",
  },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-wash)", outline: "none" },
  ".cm-placeholder": { color: "var(--ink-soft)" },
  ".cm-lintRange-error": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--bad) 1px",
    textUnderlineOffset: "3px",
    backgroundColor: "var(--bad-wash)",
  },
  ".cm-lintPoint-error::after": { borderBottomColor: "var(--bad)" },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    color: "var(--ink)",
    border: "1px solid var(--rule-strong)",
    borderRadius: "var(--radius)",
    boxShadow: "var(--shadow)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--font-mono)", maxHeight: "16rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "0.2rem 0.6rem" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--accent)", color: "var(--on-accent)" },
  ".cm-completionDetail": { color: "inherit", opacity: "1", fontStyle: "normal", marginLeft: "1rem" },
  ".cm-diagnostic": { borderLeftColor: "var(--bad)", fontFamily: "var(--font-text)", padding: "0.4rem 0.6rem" },
});

const language = (names: SQLNamespace) => sql({ dialect: PostgreSQL, schema: names, upperCaseKeywords: true });

export default function SqlEditor({ value, onChange, onRun, names, error, ref }: SqlEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const schema = useRef(new Compartment());
  const latest = useRef({ value, onChange, onRun, names });
  latest.current = { value, onChange, onRun, names };

  useEffect(() => {
    const parent = host.current;
    if (!parent) return;
    const run = () => {
      latest.current.onRun();
      return true;
    };
    const state = EditorState.create({
      doc: latest.current.value,
      extensions: [
        Prec.highest(
          keymap.of([
            { key: "Mod-Enter", run },
            { key: "Ctrl-Enter", run },
          ]),
        ),
        keymap.of([
          { key: "Tab", run: acceptCompletion },
          { key: "Ctrl-Space", run: startCompletion },
          ...closeBracketsKeymap,
          ...defaultKeymap,
          ...historyKeymap,
          ...completionKeymap,
        ]),
        lineNumbers(),
        history(),
        drawSelection(),
        bracketMatching(),
        closeBrackets(),
        autocompletion({ icons: false }),
        highlightActiveLine(),
        EditorView.lineWrapping,
        schema.current.of(language(latest.current.names)),
        syntaxHighlighting(colours),
        look,
        placeholder("SELECT …"),
        EditorView.contentAttributes.of({ "aria-label": "SQL query", spellcheck: "false" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) latest.current.onChange(update.state.doc.toString());
        }),
      ],
    });
    const made = new EditorView({ state, parent });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
  }, []);

  useEffect(() => {
    const editor = view.current;
    if (editor && editor.state.doc.toString() !== value) {
      editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
    }
  }, [value]);

  useEffect(() => view.current?.dispatch({ effects: schema.current.reconfigure(language(names)) }), [names]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const marked = error
      ? [{ ...placeOf(editor.state.doc.toString(), error.place), severity: "error" as const, message: error.message }]
      : [];
    editor.dispatch(setDiagnostics(editor.state, marked));
  }, [error]);

  useImperativeHandle(ref, () => ({
    goTo: (place) => {
      const editor = view.current;
      if (!editor) return;
      const { from } = placeOf(editor.state.doc.toString(), place);
      editor.dispatch({ selection: { anchor: from }, scrollIntoView: true });
      editor.focus();
    },
  }));

  return <div ref={host} className="sql-editor" />;
}
