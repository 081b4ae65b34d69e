// Rows in the view's own order, which is read from its statement.
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { pipelineQuery } from "~/api/queries";
import type { Column, Row } from "~/charts/columns";
import { orderOf, sortRows } from "./order";

interface Ordered {
  name: string;
  columns: readonly Column[];
}

export function useViewOrder(rows: readonly Row[], view: Ordered): Row[] {
  // The statement changes with the project only, and a changed view has other columns or is asked for again.
  const { data } = useQuery({ ...pipelineQuery(view.name), refetchInterval: 10_000 });
  const keys = useMemo(() => (data ? orderOf(data.sql, data.columns) : []), [data?.sql, data?.columns]);
  return useMemo(() => sortRows(rows, keys, view.columns), [rows, keys, view.columns]);
}
