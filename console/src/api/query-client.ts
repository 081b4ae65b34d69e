// How answers are kept: refusals are final, a lost server is waited for, and all is read again when it is back.
import { QueryClient } from "@tanstack/react-query";
import { onReturn } from "./connection";
import { Problem } from "./problem";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // A server on this machine answers without a network.
      networkMode: "always",
      staleTime: 1_000,
      refetchIntervalInBackground: false,
      retry: (failures, error) => error instanceof Problem && error.isTransient && failures < 3,
    },
    mutations: { networkMode: "always", retry: false },
  },
});

onReturn(() => void queryClient.invalidateQueries());
