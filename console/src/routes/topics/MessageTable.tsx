// The list of messages: place, time, key and the beginning of the value, one line each. Offsets that cannot be read are
// a line of their own, across all columns.
import { DataTable, type Column } from "../../ui/DataTable";
import { useMediaQuery } from "../../ui/media";
import { timeLabel } from "../../ui/Time";
import { isUnreadable, rangeOf, type Entry, type Message, type Unreadable } from "./message";

interface MessageTableProps<Row> {
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  entryOf: (row: Row) => Entry;
  /** The key of the row that is open. */
  selected?: string;
  onOpen: (row: Row) => void;
  onScroll?: (top: number) => void;
  onFocusRow?: (focused: boolean) => void;
}

export function MessageTable<Row>(props: MessageTableProps<Row>) {
  // Cells are drawn of messages only.
  const messageOf = (row: Row) => props.entryOf(row) as Message;
  const acrossOf = (row: Row) => {
    const entry = props.entryOf(row);
    return isUnreadable(entry) ? <Range range={entry} /> : undefined;
  };
  const narrow = useMediaQuery("(width < 36rem)");
  const columns: Column<Row>[] = [
    {
      key: "place",
      title: "Offset",
      width: narrow ? "5.5rem" : "7rem",
      cell: (row) => <PlaceCell message={messageOf(row)} />,
    },
    { key: "time", title: "Time", width: "7.5rem", cell: (row) => <TimeCell message={messageOf(row)} /> },
    { key: "key", title: "Key", width: "minmax(5rem, 11rem)", cell: (row) => <KeyCell text={messageOf(row).key} /> },
    {
      key: "value",
      title: "Value",
      width: "minmax(10rem, 1fr)",
      cell: (row) => <ValueCell message={messageOf(row)} />,
    },
  ];
  // Where there is no room for all, place and value say most.
  const dropped = narrow ? ["time", "key"] : props.selected === undefined ? [] : ["time"];
  const shown = columns.filter(({ key }) => !dropped.includes(key));
  return (
    <div
      className="min-h-0 flex-1 border-t border-ink/70"
      onFocus={(event) => event.target.matches("[data-index]:focus-visible") && props.onFocusRow?.(true)}
      onBlur={() => props.onFocusRow?.(false)}
    >
      <DataTable
        label="Messages"
        columns={shown}
        rows={props.rows}
        rowKey={props.rowKey}
        selected={props.selected}
        onOpen={props.onOpen}
        across={acrossOf}
        onScroll={props.onScroll}
        height="100%"
        minWidth={narrow ? undefined : "30rem"}
        rowHeight={30}
      />
    </div>
  );
}

function Range({ range }: { range: Unreadable }) {
  const { partition, from, reason } = range;
  const words = `${rangeOf(range)}: ${reason}`;
  return (
    <span className="text-bad" title={`partition ${partition}, ${words}`}>
      <span className="data">
        {partition}:{from}
      </span>{" "}
      {words}
    </span>
  );
}

interface CellProps {
  message: Message;
}

function PlaceCell({ message: { partition, offset } }: CellProps) {
  return (
    <span className="data" title={`partition ${partition}, offset ${offset}`}>
      <span className="text-ink-soft">{partition}:</span>
      {offset}
    </span>
  );
}

function TimeCell({ message: { timestamp } }: CellProps) {
  return <span className="data text-ink-soft">{timestamp ? timeLabel(timestamp).slice(-12) : "–"}</span>;
}

function KeyCell({ text }: { text: string | null }) {
  return text === null ? <span className="text-ink-soft">–</span> : <span className="data">{text}</span>;
}

function ValueCell({ message: { preview, about } }: CellProps) {
  return about ? <em className="text-ink-soft">{preview}</em> : <span className="data">{preview}</span>;
}
