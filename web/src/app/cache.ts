import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { keys } from "../api/keys";
import { Problem } from "../api/problem";

/**
 * The one cache of answers. Live events keep it fresh, so age alone never causes a new call;
 * a 401 from anywhere means that the session has ended and sends the user to sign in.
 */
export function createCache(): QueryClient {
  const onError = (error: unknown) => {
    if (error instanceof Problem && error.status === 401) void cache.invalidateQueries({ queryKey: keys.session });
  };
  const cache: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: Infinity,
        gcTime: 10 * 60_000,
        retry: (failures, error) => failures < 2 && error instanceof Problem && (error.status === 0 || error.status >= 502),
        retryDelay: (failures) => 500 * 2 ** failures,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
      },
    },
  });
  return cache;
}
