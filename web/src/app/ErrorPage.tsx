import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { ProblemNote } from "../parts/ProblemNote";
import { Page } from "./Page";
import { words } from "./words";

export function ErrorPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const again = () => {
    reset();
    void router.invalidate();
  };
  return (
    <Page title={words.failedTitle}>
      <Page.Section>
        <ProblemNote error={error} onRetry={again} />
      </Page.Section>
    </Page>
  );
}

export function NotFoundPage() {
  return (
    <Page title={words.notFoundTitle}>
      <Page.Section>
        <p>
          {words.notFoundText} <Link to="/fleet" className="link">{words.fleet}</Link>
        </p>
      </Page.Section>
    </Page>
  );
}
