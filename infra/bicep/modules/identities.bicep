import { texts } from 'types.bicep'

metadata description = 'Who acts: the app, and whoever migrates the database on its behalf.'

@description('Region of every resource.')
param location string

@description('Tags of every resource.')
param tags texts

@description('Name of the identity that the app runs as.')
param appIdentityName string

@description('Name of the identity that migrates the database.')
param migrationIdentityName string

@description('Name of the identity that reads and writes the deployed package.')
param packageIdentityName string

@description('GitHub repository (owner/name) whose workflow may act as the migration identity; empty for none.')
param githubRepository string

@description('Id of the owner of that repository; empty when its tokens have no ids in their subject.')
param githubOwnerId string

@description('Id of that repository; empty when its tokens have no ids in their subject.')
param githubRepositoryId string

@description('GitHub environment that the workflow must run in.')
param githubEnvironment string

// Repositories created or renamed since 15 July 2026 say who they are by ids that nobody can take over with a name:
// https://learn.microsoft.com/entra/workload-id/workload-identities-github-immutable-subjects
@description('Owner and name of the repository as the subject of its tokens has them.')
var githubSubject = empty(githubRepository) || empty(githubRepositoryId)
  ? githubRepository
  : '${split(githubRepository, '/')[0]}@${githubOwnerId}/${last(split(githubRepository, '/'))}@${githubRepositoryId}'

resource app 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: appIdentityName
  location: location
  tags: tags
}

resource migration 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: migrationIdentityName
  location: location
  tags: tags
}

// Flex Consumption reads and writes the package as one identity. It is not that of the app, which has no role there.
resource package 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: packageIdentityName
  location: location
  tags: tags
}

// A token that GitHub signs for this repository and environment is the login: there is no secret to keep or to rotate.
resource github 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = if (!empty(githubRepository)) {
  parent: migration
  name: 'github-${toLower(githubEnvironment)}'
  properties: {
    issuer: 'https://token.actions.githubusercontent.com'
    subject: 'repo:${githubSubject}:environment:${githubEnvironment}'
    audiences: ['api://AzureADTokenExchange']
  }
}

@description('An identity, as others need to name it.')
@export()
type identity = {
  @description('Resource id.')
  id: string

  @description('Name, which is also its role in PostgreSQL.')
  name: string

  @description('Object id in Entra.')
  principalId: string

  @description('Client id, by which code asks for its tokens.')
  clientId: string
}

@description('The identity that the app runs as.')
output app identity = {
  id: app.id
  name: app.name
  principalId: app.properties.principalId
  clientId: app.properties.clientId
}

@description('The identity that reads and writes the deployed package.')
output package identity = {
  id: package.id
  name: package.name
  principalId: package.properties.principalId
  clientId: package.properties.clientId
}

@description('The identity that migrates the database.')
output migration identity = {
  id: migration.id
  name: migration.name
  principalId: migration.properties.principalId
  clientId: migration.properties.clientId
}
