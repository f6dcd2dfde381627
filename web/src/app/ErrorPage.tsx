import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { Problem } from "../api/problem";
import { ProblemNote } from "../parts/ProblemNote";
import { Page, type PageProps } from "./Page";
import { words } from "./words";

export function ErrorPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  if (isMissing(error)) return <NotFoundPage />;
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

/** A page whose data could not be read: what is missing for good is told apart from what failed. */
export function FailedPage({ title, crumbs, error, onRetry }: { title: string; crumbs: PageProps["crumbs"]; error: unknown; onRetry: () => void }) {
  if (isMissing(error)) return <NotFoundPage />;
  return (
    <Page title={title} crumbs={crumbs}>
      <Page.Section plain>
        <ProblemNote error={error} onRetry={onRetry} />
      </Page.Section>
    </Page>
  );
}

const isMissing = (error: unknown) => Problem.of(error).status === 404 && Problem.of(error).isOurs;

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
