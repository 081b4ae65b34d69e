// The list of messages: place, time, key and the beginning of the value, one line each.
import { DataTable, type Column } from "../../ui/DataTable";
import { timeLabel } from "../../ui/Time";
import type { Message } from "./message";

interface MessageTableProps<Row> {
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  messageOf: (row: Row) => Message;
  /** The key of the row that is open. */
  selected?: string;
  onOpen: (row: Row) => void;
  onScroll?: (top: number) => void;
  onFocusRow?: (focused: boolean) => void;
}

export function placeOf({ partition, offset }: Message): string {
  return `${partition}:${offset}`;
}

export function MessageTable<Row>(props: MessageTableProps<Row>) {
  const { messageOf } = props;
  const columns: Column<Row>[] = [
    {
      key: "place",
      title: <abbr title="partition : offset" className="no-underline">Offset</abbr>,
      width: "7.5rem",
      cell: (row) => {
        const { partition, offset } = messageOf(row);
        return (
          <span className="data">
            <span className="text-ink-soft">{partition}:</span>
            {offset}
          </span>
        );
      },
    },
    {
      key: "time",
      title: "Time",
      width: "8.25rem",
      cell: (row) => {
        const { timestamp } = messageOf(row);
        return <span className="data text-ink-soft">{timestamp ? timeLabel(timestamp).slice(-12) : "–"}</span>;
      },
    },
    {
      key: "key",
      title: "Key",
      width: "minmax(5rem, 12rem)",
      cell: (row) => {
        const { key } = messageOf(row);
        return key === null ? <span className="text-ink-soft">–</span> : <span className="data">{key}</span>;
      },
    },
    {
      key: "value",
      title: "Value",
      width: "minmax(14rem, 1fr)",
      cell: (row) => {
        const { preview, about } = messageOf(row);
        return about ? <em className="text-ink-soft">{preview}</em> : <span className="data">{preview}</span>;
      },
    },
  ];
  return (
    <div
      className="min-h-0 flex-1 border-t border-ink/70"
      onFocus={(event) => event.target.matches("[data-index]:focus-visible") && props.onFocusRow?.(true)}
      onBlur={() => props.onFocusRow?.(false)}
    >
      <DataTable
        label="Messages"
        columns={columns}
        rows={props.rows}
        rowKey={props.rowKey}
        selected={props.selected}
        onOpen={props.onOpen}
        onScroll={props.onScroll}
        height="100%"
        minWidth="40rem"
        rowHeight={30}
      />
    </div>
  );
}
